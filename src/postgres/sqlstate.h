// What PostgreSQL's error codes mean to a caller. Source: PostgreSQL 15 documentation, appendix A.
#pragma once

#include <string_view>

#include "base/error.h"

namespace heliograph::postgres {

// `sqlstate` is five characters, or empty where the server said nothing (the session is lost):
// kUnavailable. kInvalidArgument: the server refuses a value, so the same data fails again.
base::ErrorCode CodeOf(std::string_view sqlstate) noexcept;

}  // namespace heliograph::postgres
