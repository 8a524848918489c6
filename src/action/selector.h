// Which devices, by what is known of them: the words are those of GET /v1/connections. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/strong_string.h"
#include "device/connection.h"
#include "device/ids.h"

namespace heliograph::action {

inline constexpr std::size_t kMostSelectorTags = 8;
inline constexpr std::size_t kLongestSelectorText = 256;  // bytes

// 1 to 128 bytes of [A-Za-z0-9._:-]: a set of devices that has a name.
using GroupName = base::StrongString<struct GroupNameTag>;

// kInvalidArgument says what was wrong.
base::Result<GroupName> ParseGroupName(std::string_view text);

// Every condition that is given must hold; without one, all devices that the caller may see.
struct Selector {
  std::optional<device::ConnectionState> state = {};
  std::optional<device::TenantId> tenant = {};  // for operators only
  std::string client_id_prefix = {};            // of the alphabet of client ids; "" = any
  std::map<std::string, std::string> tags = {};
  std::optional<std::string> dispatcher = {};
  std::optional<std::string> client_version = {};  // exactly so

  friend bool operator==(const Selector&, const Selector&) = default;
};

// JSON, without the conditions that are not given; ParseSelector reads it. kInvalidArgument: it is
// no selector.
std::string WriteSelector(const Selector& selector);
base::Result<Selector> ParseSelector(std::string_view text);

}  // namespace heliograph::action
