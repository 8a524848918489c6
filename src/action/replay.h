// A dead letter that is tried again: a new request out of the one that was in vain. Pure.
#pragma once

#include <string_view>
#include <variant>

#include "action/action.h"
#include "action/request.h"

namespace heliograph::action {

// `body`: "" or an object that may have ttl_s or deadline, and if_offline, which is the original's
// where it is not given; all else of it is ignored. Directive, payload and metadata are the
// original's, the one target is `client_id`. Any bytes in, never throws.
std::variant<Request, RequestFault> ParseReplay(std::string_view body, const Action& original,
                                                const device::ClientId& client_id);

}  // namespace heliograph::action
