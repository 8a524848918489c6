// Whatever a handler throws becomes a 500 that does not tell what it was.
#pragma once

#include <functional>

#include "http/message.h"

namespace heliograph::http {

// Logs what was thrown. Threads: any thread.
Response CallGuarded(const std::function<Response(const Request&)>& handler,
                     const Request& request);

}  // namespace heliograph::http
