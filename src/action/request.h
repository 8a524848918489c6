// What a caller asks for: POST /v1/actions, parsed to types by one total function. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "action/fault.h"
#include "action/ids.h"
#include "action/if_offline.h"
#include "action/rollout.h"
#include "action/selector.h"
#include "base/clock.h"
#include "device/ids.h"

namespace heliograph::action {

inline constexpr std::size_t kMostTargets = 10'000;       // that are named one by one, or excluded
inline constexpr std::int64_t kMostResolved = 1'000'000;  // of a group or a selector
inline constexpr std::size_t kMostMetadata = 64;          // names
inline constexpr std::size_t kLongestMetadataName = 128;  // bytes
inline constexpr std::size_t kLongestMetadataValue = 4096;                // bytes
inline constexpr std::string_view kReservedPrefix = "heliograph.";        // of metadata names: ours
inline constexpr std::string_view kDeadlineName = "heliograph.deadline";  // RFC 3339
inline constexpr std::chrono::hours kLongestLife{30 * 24};  // from acceptance to deadline

struct Request {
  // For whom: one of the three.
  std::vector<device::ClientId> client_ids;  // unique, sorted, without those to exclude
  std::optional<GroupName> group;
  std::optional<Selector> selector;
  std::vector<device::ClientId> exclude;  // unique, sorted; of client_ids those that were named
  Directive directive;
  std::string payload;                          // compact JSON
  std::map<std::string, std::string> metadata;  // empty and null are the same
  IfOffline if_offline = IfOffline::kFail;
  // At most one of the two. A deadline may lie in the past: whoever knows the time says so.
  std::optional<base::Timestamp> deadline;
  std::optional<std::chrono::seconds> ttl;
  Rollout rollout = {};
  bool dry_run = false;
  std::optional<std::string> dry_run_id;  // a UUID, lower case; only where dry_run is false
  // What it asks for: the body as `canonical`, without dry_run and dry_run_id.
  std::string meaning;
  // The body with sorted names and without spaces: equal for bodies that mean the same.
  std::string canonical;
};

// Any bytes in, never throws. Unknown fields are ignored.
std::variant<Request, RequestFault> ParseRequest(std::string_view body);

}  // namespace heliograph::action
