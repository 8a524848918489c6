// `action.results` and `action.dead-letter`: CloudEvents 1.0 in JSON. Pure.
#pragma once

#include <string>

#include "action/action.h"

namespace heliograph::recorder {

// Whether it goes to the dead letters, too: the device has neither done nor refused it, and no
// caller has called it off. The same rule is in migrations/0008_target_log.up.sql.
bool IsDeadLetter(action::TargetStatus status);

// A target that ended. `data` has the action as a list shows it and the target as the REST object.
std::string WriteResultEvent(const action::Action& action, const action::Target& target);
// Precondition: IsDeadLetter. `data` has the reason, the target, and all that is needed to try the
// action again.
std::string WriteDeadLetterEvent(const action::Action& action, const action::Target& target);

}  // namespace heliograph::recorder
