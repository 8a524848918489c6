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

  // The handler behind a check: 401 without a token that is known, 403 without the scope. `denied`,
  // where it is given, makes the 403.
  std::function<http::Response(const http::Request&)> Protect(auth::Scope scope, Handler handler,
                                                              Handler denied = {}) const;

 private:
  auth::Authenticator& authenticator_;
};

}  // namespace heliograph::api
