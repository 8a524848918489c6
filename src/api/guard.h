// Who may call a route.
#pragma once

#include <functional>
#include <optional>

#include "auth/authenticator.h"
#include "auth/principal.h"
#include "device/ids.h"
#include "http/message.h"

namespace heliograph::api {

// The caller's tenant; nullopt = an operator.
std::optional<device::TenantId> TenantOf(const auth::Principal& principal);

// Threads: any thread.
class Guard {
 public:
  using Handler = std::function<http::Response(const http::Request&, const auth::Principal&)>;

  explicit Guard(auth::Authenticator& authenticator) : authenticator_(authenticator) {}

  // The handler behind a check: 401 without a token that is known, 403 without the scope.
  std::function<http::Response(const http::Request&)> Protect(auth::Scope scope,
                                                              Handler handler) const;
  // The same without the second: the handler looks at the scope itself.
  std::function<http::Response(const http::Request&)> Identify(Handler handler) const;

 private:
  auth::Authenticator& authenticator_;
};

}  // namespace heliograph::api
