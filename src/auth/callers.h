// Everybody who may call: by a token of the tokens file, or by a JSON Web Token.
#pragma once

#include <memory>
#include <stop_token>
#include <string_view>

#include "auth/authenticator.h"
#include "auth/jwt_authenticator.h"
#include "auth/token_file.h"
#include "auth/user_authoriser.h"
#include "base/clock.h"
#include "base/health.h"
#include "config/binder.h"
#include "metrics/metrics.h"

namespace heliograph::auth {

struct Config {
  TokensConfig tokens;
  JwtConfig jwt;
  UserAuthorisationConfig users;

  void Bind(config::Binder& binder);
};

// Threads: Keep on one thread, Authenticate on any.
class Callers final : public Authenticator {
 public:
  // Sets the dependencies "tokens" and "keys" of `health`, those that are configured. Throws
  // base::StartupError.
  Callers(const Config& config, const base::Clock& clock, base::Health& health,
          metrics::Registry& metrics);

  // Looks after the issuer's keys until stop is requested.
  void Keep(const std::stop_token& stop);

  // A token of the file goes first, whatever it looks like.
  base::Result<Principal> Authenticate(std::string_view token) override;

 private:
  std::unique_ptr<TokenFile> tokens_;  // nullptr: no file is configured
  std::unique_ptr<KeyRing> keys_;      // nullptr: no JWT is taken, as is the next
  std::unique_ptr<JwtAuthenticator> jwt_;
};

}  // namespace heliograph::auth
