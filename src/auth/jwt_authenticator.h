// JSON Web Tokens of one issuer, verified by the keys that it publishes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "auth/authenticator.h"
#include "auth/claims.h"
#include "auth/key_ring.h"
#include "auth/sha256.h"
#include "base/clock.h"
#include "base/recent.h"
#include "config/binder.h"
#include "metrics/metrics.h"

namespace heliograph::auth {

struct JwtConfig {
  ClaimRules rules;
  std::vector<std::string> algorithms{"RS256", "ES256"};
  KeysConfig keys;

  bool enabled() const { return !rules.issuer.empty(); }
  void Bind(config::Binder& binder);
};

// What was verified is remembered by the token's hash until it expires or the keys change, so that
// a caller's second request costs a hash and a look-up. Threads: any thread.
class JwtAuthenticator final : public Authenticator {
 public:
  JwtAuthenticator(const JwtConfig& config, KeyRing& keys, const base::Clock& clock,
                   metrics::Registry& metrics);

  // kUnauthenticated says what is wrong with the token, never what stands in it.
  base::Result<Principal> Authenticate(std::string_view token) override;

 private:
  struct Verified {
    Principal principal;
    std::uint64_t revision = 0;  // of the keys
  };
  struct HashOfDigest {
    std::size_t operator()(const Digest& digest) const noexcept;
  };

  base::Result<Principal> Verify(std::string_view token, base::Timestamp now,
                                 base::Timestamp& until);
  bool IsAllowed(Algorithm algorithm) const;

  const ClaimRules rules_;
  const std::vector<std::string> algorithms_;
  KeyRing& keys_;
  const base::Clock& clock_;
  metrics::Counter remembered_;
  metrics::Counter verified_;
  metrics::Counter refused_;
  metrics::Counter unavailable_;
  base::Recent<Digest, Verified, base::Timestamp, HashOfDigest> recent_;
};

}  // namespace heliograph::auth
