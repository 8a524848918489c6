// A group of devices as callers put it and see it: the REST object. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "action/fault.h"
#include "action/selector.h"
#include "base/clock.h"
#include "device/ids.h"

namespace heliograph::action {

inline constexpr std::size_t kMostMembers = 100'000;
inline constexpr std::size_t kMembersInFull = 1000;  // a group with more shows them by pages only

// Those that are named, or those that the selector finds whenever the group is used.
struct GroupDefinition {
  std::vector<device::ClientId> client_ids;  // unique, sorted; none where there is a selector
  std::optional<Selector> selector;
};

struct Group {
  GroupName name;
  std::optional<device::TenantId> tenant;  // nullopt = the operators'
  std::optional<Selector> selector;
  std::int64_t members = 0;  // without a selector: how many are named
  std::optional<std::vector<device::ClientId>> client_ids;  // nullopt = not shown here
  base::Timestamp created_at{};
  base::Timestamp updated_at{};
};

// Any bytes in, never throws. Unknown fields are ignored.
std::variant<GroupDefinition, RequestFault> ParseGroup(std::string_view body);

// JSON. A heading is what a list of groups shows: without client_ids.
void AppendHeading(std::string& out, const Group& group);
std::string WriteGroup(const Group& group);

}  // namespace heliograph::action
