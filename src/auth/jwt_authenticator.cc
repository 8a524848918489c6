#include "auth/jwt_authenticator.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "auth/jwt.h"

namespace heliograph::auth {
namespace {

constexpr std::size_t kMostRemembered = 10'000;
// A clock that was wrong for a moment must not leave a token good for years.
constexpr std::chrono::hours kLongestRemembered{1};

base::Error Refuse(const char* why) {
  return base::MakeError(base::ErrorCode::kUnauthenticated, why);
}

metrics::Counter CounterOf(metrics::Registry& metrics, const std::string& result) {
  return metrics.AddCounter("heliograph_auth_jwt_total", "JSON Web Tokens by what became of them.",
                            {{"result", result}});
}

bool AllAreKnown(const std::vector<std::string>& algorithms) {
  return std::all_of(algorithms.begin(), algorithms.end(),
                     [](const auto& each) { return ParseAlgorithm(each).has_value(); });
}

bool AllAreScopes(const std::map<std::string, std::string>& names) {
  return std::all_of(names.begin(), names.end(),
                     [](const auto& each) { return ParseScope(each.second).has_value(); });
}

}  // namespace

void JwtConfig::Bind(config::Binder& binder) {
  using std::chrono::minutes;
  binder.String(
      rules.issuer, "issuer",
      "Whose tokens are taken: their claim `iss`, exactly so written; empty = no JWT is.");
  binder.String(rules.audience, "audience", "What their claim `aud` has to be, or to hold.");
  binder.StringList(algorithms, "algorithms", "Signatures that are taken, of RS256 and ES256.");
  binder.Duration(rules.clock_skew, "clock_skew_s", {std::chrono::seconds(0), minutes(5)},
                  "How far the issuer's clock may be off ours.");
  binder.Section(keys, "keys", "The issuer's keys.");
  binder.Section(rules.names, "claims", "Where the caller stands in the claims.");
  binder.StringMap(
      rules.scope_names, "scope_names",
      "The issuer's words for our scopes, word to scope; empty = the issuer uses ours.");
  const bool has_keys = !keys.file.empty() || !keys.url.empty();
  binder.Require(enabled() || (rules.audience.empty() && !has_keys),
                 "auth.jwt.issuer is missing beside audience or keys");
  binder.Require(!enabled() || !rules.audience.empty(), "auth.jwt.audience must not be empty");
  binder.Require(!enabled() || has_keys, "auth.jwt.keys needs a file or a url");
  binder.Require(!algorithms.empty() && AllAreKnown(algorithms),
                 "auth.jwt.algorithms must be of RS256 and ES256");
  binder.Require(AllAreScopes(rules.scope_names),
                 "auth.jwt.scope_names: what stands on the right must be scopes");
}

std::size_t JwtAuthenticator::HashOfDigest::operator()(const Digest& digest) const noexcept {
  std::size_t hash = 0;
  std::memcpy(&hash, digest.data(), sizeof(hash));  // it is a hash
  return hash;
}

JwtAuthenticator::JwtAuthenticator(const JwtConfig& config, KeyRing& keys, const base::Clock& clock,
                                   metrics::Registry& metrics)
    : rules_(config.rules),
      algorithms_(config.algorithms),
      keys_(keys),
      clock_(clock),
      remembered_(CounterOf(metrics, "remembered")),
      verified_(CounterOf(metrics, "verified")),
      refused_(CounterOf(metrics, "refused")),
      unavailable_(CounterOf(metrics, "unavailable")),
      recent_(kMostRemembered) {}

bool JwtAuthenticator::IsAllowed(Algorithm algorithm) const {
  return std::find(algorithms_.begin(), algorithms_.end(), AlgorithmName(algorithm)) !=
         algorithms_.end();
}

base::Result<Principal> JwtAuthenticator::Authenticate(std::string_view token) {
  const Digest digest = Sha256(token);
  const base::Timestamp now = clock_.Now();
  // Before the key is looked up: if the keys change meanwhile, what is remembered is out of date.
  const std::uint64_t revision = keys_.revision();
  if (auto known = recent_.Find(digest, now); known && known->revision == revision) {
    remembered_.Add();
    return std::move(known->principal);
  }
  base::Timestamp until;
  auto principal = Verify(token, now, until);
  if (principal) {
    verified_.Add();
    recent_.Put(digest, {*principal, revision}, std::min(until, now + kLongestRemembered));
  } else if (principal.error().code == base::ErrorCode::kUnauthenticated) {
    refused_.Add();
  } else {
    unavailable_.Add();
  }
  return principal;
}

base::Result<Principal> JwtAuthenticator::Verify(std::string_view token, base::Timestamp now,
                                                 base::Timestamp& until) {
  const auto jwt = ParseJwt(token);
  if (!jwt) return jwt.error();
  if (!IsAllowed(jwt->algorithm)) return Refuse("the token's algorithm is not taken here");
  // Before the key: a token that would be refused anyway must not make us ask for keys.
  const auto good_until = CheckClaims(jwt->claims, rules_, now);
  if (!good_until) return good_until.error();
  const auto key = keys_.Find(jwt->key_id, jwt->algorithm);
  if (!key) return key.error();
  if (!(*key)->Verifies(jwt->signed_part, jwt->signature)) {
    return Refuse("the token's signature is wrong");
  }
  until = *good_until;
  return PrincipalOf(jwt->claims, rules_);
}

}  // namespace heliograph::auth
