// What a caller asks for: POST /v1/actions, parsed to types by one total function. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "action/ids.h"
#include "action/if_offline.h"
#include "base/clock.h"
#include "device/ids.h"

namespace heliograph::action {

inline constexpr std::size_t kMostTargets = 10'000;
inline constexpr std::size_t kMostMetadata = 64;                          // names
inline constexpr std::size_t kLongestMetadataName = 128;                  // bytes
inline constexpr std::size_t kLongestMetadataValue = 4096;                // bytes
inline constexpr std::string_view kReservedPrefix = "heliograph.";        // of metadata names: ours
inline constexpr std::string_view kDeadlineName = "heliograph.deadline";  // RFC 3339
inline constexpr std::chrono::hours kLongestLife{30 * 24};  // from acceptance to deadline

struct Request {
  std::vector<device::ClientId> client_ids;  // unique, sorted, without those to exclude
  Directive directive;
  std::string payload;                          // compact JSON
  std::map<std::string, std::string> metadata;  // empty and null are the same
  IfOffline if_offline = IfOffline::kFail;
  // At most one of the two. A deadline may lie in the past: whoever knows the time says so.
  std::optional<base::Timestamp> deadline;
  std::optional<std::chrono::seconds> ttl;
  // The body with sorted names and without spaces: equal for bodies that mean the same.
  std::string canonical;
};

// Why a body is no request. `field` is a JSON pointer (RFC 6901), "" = the whole body; `message` is
// a sentence.
struct RequestFault {
  std::string field;
  std::string message;
};

// Any bytes in, never throws. Unknown fields are ignored.
std::variant<Request, RequestFault> ParseRequest(std::string_view body);

}  // namespace heliograph::action
