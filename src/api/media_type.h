// What a request's body is said to be.
#pragma once

#include "http/message.h"

namespace heliograph::api {

// application/json, in UTF-8 where a charset is named, and not compressed (RFC 9110, section 8).
bool IsJson(const http::Request& request);

}  // namespace heliograph::api
