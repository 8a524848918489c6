// Times on the wire: RFC 3339. Written in UTC with microseconds; read with any offset.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace heliograph::base {

// "2026-11-21T02:29:54.123456Z"
std::string FormatRfc3339(Timestamp time);

// Takes RFC 3339 section 5.6: `T`, `t` or a space between date and time, any fraction (cut to
// microseconds), `Z` or an offset up to 23:59. A leap second is read as the second after it.
// kInvalidArgument says what was wrong.
Result<Timestamp> ParseRfc3339(std::string_view text);

}  // namespace heliograph::base
