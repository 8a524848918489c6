// The names of actions and of what handles them.
#pragma once

#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/strong_string.h"

namespace heliograph::action {

// A UUID, lower case: unique for ever, and the message_id with which the action reaches its
// devices.
using ActionId = base::StrongString<struct ActionIdTag>;

// 1 to 128 bytes of [A-Za-z0-9._:/-]: which handler on the device an action is for.
using Directive = base::StrongString<struct DirectiveTag>;

// UUID version 7 (RFC 9562, section 5.7): ids of one moment stand together in an index, so
// inserting stays cheap as the table grows.
ActionId NewActionId(base::Timestamp now);

// Any version, any case; kInvalidArgument says what was wrong.
base::Result<ActionId> ParseActionId(std::string_view text);
base::Result<Directive> ParseDirective(std::string_view text);

}  // namespace heliograph::action
