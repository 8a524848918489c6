#include "api/guard.h"

#include <utility>

#include "api/problems.h"
#include "auth/bearer.h"

namespace heliograph::api {

std::optional<device::TenantId> TenantOf(const auth::Principal& principal) {
  if (!principal.tenant) return std::nullopt;
  return device::TenantId(*principal.tenant);
}

std::function<http::Response(const http::Request&)> Guard::Identify(Handler handler) const {
  return [this, handler = std::move(handler)](const http::Request& request) {
    const auto token = auth::ParseBearer(request.Header("authorization"));
    if (!token) return FromError(token.error());
    const auto principal = authenticator_.Authenticate(*token);
    if (!principal) return FromError(principal.error());
    return handler(request, *principal);
  };
}

std::function<http::Response(const http::Request&)> Guard::Protect(auth::Scope scope,
                                                                   Handler handler) const {
  return Identify([scope, handler = std::move(handler)](const http::Request& request,
                                                        const auth::Principal& caller) {
    return caller.May(scope) ? handler(request, caller) : PermissionDenied(auth::ScopeName(scope));
  });
}

}  // namespace heliograph::api
