#include "api/guard.h"

#include <utility>

#include "api/problems.h"
#include "auth/bearer.h"

namespace heliograph::api {

std::optional<device::TenantId> TenantOf(const auth::Principal& principal) {
  if (!principal.tenant) return std::nullopt;
  return device::TenantId(*principal.tenant);
}

std::function<http::Response(const http::Request&)> Guard::Protect(auth::Scope scope,
                                                                   Handler handler,
                                                                   Handler denied) const {
  return [this, scope, handler = std::move(handler),
          denied = std::move(denied)](const http::Request& request) {
    const auto token = auth::ParseBearer(request.Header("authorization"));
    if (!token) return FromError(token.error());
    const auto principal = authenticator_.Authenticate(*token);
    if (!principal) return FromError(principal.error());
    if (!principal->May(scope)) {
      return denied ? denied(request, *principal) : PermissionDenied(auth::ScopeName(scope));
    }
    return handler(request, *principal);
  };
}

}  // namespace heliograph::api
