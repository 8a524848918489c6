// The Authorization header: RFC 6750, section 2.1.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"

namespace heliograph::auth {

// The token, a view into `header`. kUnauthenticated: no header, another scheme, or not a token's
// alphabet.
base::Result<std::string_view> ParseBearer(std::optional<std::string_view> header);

}  // namespace heliograph::auth
