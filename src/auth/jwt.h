// A JSON Web Token in the compact form (RFC 7515, section 7.1; RFC 7519) taken apart: nothing of it
// is believed yet. Included by this folder only.
#pragma once

#include <string>
#include <string_view>

#include "auth/public_key.h"
#include "base/result.h"
#include "json/json.h"

namespace heliograph::auth {

// The header's parameters that name or carry a key (jwk, jku, x5c, x5u) are never looked at.
struct Jwt {
  Algorithm algorithm = Algorithm::kRs256;
  std::string key_id;
  std::string_view signed_part;  // of the token's text
  std::string signature;
  json::Value claims;  // an object
};

// kUnauthenticated with the reason: not three parts in base64url, not JSON, a name that stands
// twice, another algorithm than RS256 and ES256, no `kid`, a `typ` of another kind of token,
// `crit`.
base::Result<Jwt> ParseJwt(std::string_view token);

}  // namespace heliograph::auth
