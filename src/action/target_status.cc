#include "action/target_status.h"

namespace heliograph::action {
namespace {

using enum TargetStatus;

constexpr std::array<std::string_view, kTargetStatuses> kNames = {
    "accepted", "queued",  "published", "delivered",    "running",   "succeeded",    "failed",
    "expired",  "offline", "unknown",   "unauthorised", "cancelled", "undeliverable"};

using Row = std::array<std::optional<TargetStatus>, kTargetEvents>;
constexpr std::nullopt_t kNothing = std::nullopt;

// One row a status, one column an event. An answer proves that the device has the action, whatever
// we know of the broker, so it is news in every status that is not final. What has reached the
// broker can end only by its device, its deadline or a caller. Nothing leads back.
// clang-format off
constexpr std::array<Row, kTargetStatuses> kTable = {{
    //                  queued    published   undeliverable    delivered   running   succeeded   failed   expired   cancelled   offline   unknown   unauthorised
    /* accepted      */ {kQueued,  kPublished, kUndeliverable, kDelivered, kRunning, kSucceeded, kFailed, kExpired, kCancelled, kOffline, kUnknown, kUnauthorised},
    /* queued        */ {kNothing, kPublished, kUndeliverable, kDelivered, kRunning, kSucceeded, kFailed, kExpired, kCancelled, kNothing, kUnknown, kUnauthorised},
    /* published     */ {kNothing, kNothing,   kNothing,       kDelivered, kRunning, kSucceeded, kFailed, kExpired, kCancelled, kNothing, kNothing, kNothing},
    /* delivered     */ {kNothing, kNothing,   kNothing,       kNothing,   kRunning, kSucceeded, kFailed, kExpired, kCancelled, kNothing, kNothing, kNothing},
    /* running       */ {kNothing, kNothing,   kNothing,       kNothing,   kRunning, kSucceeded, kFailed, kExpired, kCancelled, kNothing, kNothing, kNothing},
    /* succeeded     */ {},
    /* failed        */ {},
    /* expired       */ {},
    /* offline       */ {},
    /* unknown       */ {},
    /* unauthorised  */ {},
    /* cancelled     */ {},
    /* undeliverable */ {},
}};
// clang-format on

constexpr TargetStatus StatusAt(std::size_t index) { return static_cast<TargetStatus>(index); }
constexpr std::size_t IndexOf(TargetStatus status) { return static_cast<std::size_t>(status); }

}  // namespace

std::string_view TargetStatusName(TargetStatus status) { return kNames[IndexOf(status)]; }

std::optional<TargetStatus> ParseTargetStatus(std::string_view name) {
  for (std::size_t i = 0; i < kTargetStatuses; ++i) {
    if (kNames[i] == name) return StatusAt(i);
  }
  return std::nullopt;
}

bool IsFinal(TargetStatus status) { return IndexOf(status) >= IndexOf(kSucceeded); }

std::optional<TargetStatus> Next(TargetStatus status, TargetEvent event) {
  return kTable[IndexOf(status)][static_cast<std::size_t>(event)];
}

std::vector<TargetStatus> ChangedBy(TargetEvent event) {
  std::vector<TargetStatus> statuses;
  for (std::size_t i = 0; i < kTargetStatuses; ++i) {
    if (Next(StatusAt(i), event)) statuses.push_back(StatusAt(i));
  }
  return statuses;
}

bool KeepsLateAnswer(TargetStatus status) {
  switch (status) {
    case kExpired:
    case kCancelled:
    case kUndeliverable:
      return true;
    case kAccepted:
    case kQueued:
    case kPublished:
    case kDelivered:
    case kRunning:
    case kSucceeded:
    case kFailed:
    case kOffline:
    case kUnknown:
    case kUnauthorised:
      return false;
  }
  return false;
}

}  // namespace heliograph::action
