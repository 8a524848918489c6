#include "action/action_status.h"

#include <algorithm>
#include <array>

namespace heliograph::action {
namespace {

using enum ActionStatus;

constexpr std::array<std::string_view, 6> kNames = {"scheduled", "running", "paused",
                                                    "ended",     "aborted", "cancelled"};

}  // namespace

std::string_view ActionStatusName(ActionStatus status) {
  return kNames[static_cast<std::size_t>(status)];
}

std::optional<ActionStatus> ParseActionStatus(std::string_view name) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<ActionStatus>(found - kNames.begin());
}

ActionStatus StatusOf(const Action& action) {
  if (action.cancelled_at) return kCancelled;
  if (action.aborted_at) return kAborted;
  if (action.ended) return kEnded;
  if (action.paused_at) return kPaused;
  if (action.rollout.not_before && *action.rollout.not_before > action.as_of) return kScheduled;
  return kRunning;
}

}  // namespace heliograph::action
