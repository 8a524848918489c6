// What equipment says of its target over REST: the same as a device says on `data`, without the
// envelope. Pure.
#pragma once

#include <string_view>
#include <variant>

#include "action/ids.h"
#include "action/report.h"
#include "action/request.h"

namespace heliograph::action {

// `{"content": any JSON, "metadata": object of strings or null}`, both may be missing; other fields
// are ignored. Any bytes in, never throws. An Unacceptable is result_too_large.
std::variant<Report, RequestFault, device::Unacceptable> ParseResultBody(std::string_view body,
                                                                         const ActionId& id);

}  // namespace heliograph::action
