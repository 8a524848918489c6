#include "auth/callers.h"

#include <condition_variable>
#include <mutex>

namespace heliograph::auth {

void Config::Bind(config::Binder& binder) {
  tokens.Bind(binder);
  binder.Section(jwt, "jwt", "JSON Web Tokens of an identity provider, beside the tokens file.");
  binder.Section(
      users, "users",
      "A service that says what a user may do with which devices, asked for each action.");
  binder.Require(!tokens.tokens_file.empty() || jwt.enabled(),
                 "auth: without a tokens_file and without jwt.issuer nobody may call");
}

Callers::Callers(const Config& config, const base::Clock& clock, base::Health& health,
                 metrics::Registry& metrics) {
  if (!config.tokens.tokens_file.empty()) {
    tokens_ = std::make_unique<TokenFile>(config.tokens, clock, metrics);
    if (tokens_->size() > 0 || config.jwt.enabled()) {
      health.SetReady("tokens");
    } else {
      health.SetNotReady("tokens", "the tokens file has no token");
    }
  }
  if (config.jwt.enabled()) {
    keys_ = std::make_unique<KeyRing>(config.jwt.keys, clock, health, metrics);
    jwt_ = std::make_unique<JwtAuthenticator>(config.jwt, *keys_, clock, metrics);
  }
}

void Callers::Keep(const std::stop_token& stop) {
  if (keys_) return keys_->Keep(stop);
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait(lock, stop, [] { return false; });
}

base::Result<Principal> Callers::Authenticate(std::string_view token) {
  auto known = tokens_
                   ? tokens_->Authenticate(token)
                   : base::MakeError(base::ErrorCode::kUnauthenticated, "the token is not known");
  if (known || !jwt_) return known;
  // Every JWT has dots; what has none is a token that was revoked, or a mistyped one.
  if (token.find('.') == token.npos) return known;
  return jwt_->Authenticate(token);
}

}  // namespace heliograph::auth
