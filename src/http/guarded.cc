#include "http/guarded.h"

#include <exception>

#include "log/log.h"

namespace heliograph::http {
namespace {

Response Failed(const Request& request, const char* what) {
  const log::Logger log("http");
  log.Error("a handler threw", {{"method", request.method},
                                {"path", request.path},
                                {"request_id", request.request_id},
                                {"reason", what}});
  return Problem(500, "internal", "Internal error", "The request id names it in the service's log");
}

}  // namespace

Response CallGuarded(const std::function<Response(const Request&)>& handler,
                     const Request& request) {
  try {
    return handler(request);
  } catch (const std::exception& error) {
    return Failed(request, error.what());
  } catch (...) {
    return Failed(request, "an exception of unknown type");
  }
}

}  // namespace heliograph::http
