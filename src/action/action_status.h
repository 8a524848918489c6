// Where a whole action stands, in a word. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "action/action.h"

namespace heliograph::action {

enum class ActionStatus {
  kScheduled,  // its start is still to come
  kRunning,    // some targets are open
  kPaused,     // nothing is published until somebody resumes it
  kEnded,      // every target has ended
  kAborted,    // too many had failed: what was not published was cancelled
  kCancelled,  // a caller called off what was open
};

std::string_view ActionStatusName(ActionStatus status);  // "scheduled": in SQL and JSON
std::optional<ActionStatus> ParseActionStatus(std::string_view name);

// At action.as_of. How it was stopped stays its status for good. The SQL of ActionQueries says the
// same.
ActionStatus StatusOf(const Action& action);

}  // namespace heliograph::action
