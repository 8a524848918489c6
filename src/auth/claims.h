// What a token claims: whether it is meant for us and now, and who its bearer is.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include "auth/principal.h"
#include "base/clock.h"
#include "base/result.h"
#include "config/binder.h"
#include "json/json.h"

namespace heliograph::auth {

// Where in a token's claims the caller is described. A name that begins with a slash is a JSON
// pointer (RFC 6901), as "/realm_access/roles"; any other is the name of a claim as it stands.
struct ClaimNames {
  std::string user = "sub";
  std::string tenant = "tenant";
  std::string scopes = "scope";
  std::string operator_claim;  // "" = no token is an operator's
  std::string operator_value;

  void Bind(config::Binder& binder);
};

struct ClaimRules {
  std::string issuer;
  std::string audience;
  std::chrono::milliseconds clock_skew{std::chrono::seconds(60)};
  ClaimNames names;
  std::map<std::string, std::string> scope_names;  // the issuer's word -> ours; empty = ours
};

// A time in a token (RFC 7519: seconds since 1970, also with a fraction). Never overflows.
base::Timestamp TimeOf(double numeric_date);

// `claims` is an object. kUnauthenticated with the reason: another issuer or audience, expired, not
// yet valid, without `exp`. The result is the time from which the token is no longer good, with the
// skew.
base::Result<base::Timestamp> CheckClaims(const json::Value& claims, const ClaimRules& rules,
                                          base::Timestamp now);

// The caller by the names of `rules`. kUnauthenticated: it names no user, or no tenant and is not
// an operator's. Words that are no scope of ours are passed over.
base::Result<Principal> PrincipalOf(const json::Value& claims, const ClaimRules& rules);

}  // namespace heliograph::auth
