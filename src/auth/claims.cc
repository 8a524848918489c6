#include "auth/claims.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace heliograph::auth {
namespace {

constexpr std::size_t kLongestUser = 255;
// The year 9999: what lies beyond means "never", and is no time that can be computed with.
constexpr double kLatest = 253402300799.0;

base::Error Refuse(const std::string& why) {
  return base::MakeError(base::ErrorCode::kUnauthenticated, why);
}

std::string Unescaped(std::string_view token) {
  std::string text;
  for (std::size_t i = 0; i < token.size(); ++i) {
    const bool escaped = token[i] == '~' && i + 1 < token.size();
    if (escaped && token[i + 1] == '0') {
      text += '~';
      ++i;
    } else if (escaped && token[i + 1] == '1') {
      text += '/';
      ++i;
    } else {
      text += token[i];
    }
  }
  return text;
}

// nullptr: there is no such claim. Pointers go through objects only.
const json::Value* Find(const json::Value& claims, std::string_view name) {
  const bool is_pointer = name.starts_with('/');
  const json::Value* at = &claims;
  if (is_pointer) name.remove_prefix(1);
  while (true) {
    const std::size_t end = is_pointer ? name.find('/') : name.npos;
    const std::string_view level = name.substr(0, end);
    const auto found = at->find(is_pointer ? Unescaped(level) : std::string(level));
    if (!at->is_object() || found == at->end()) return nullptr;
    at = &*found;
    if (end == name.npos) return at;
    name.remove_prefix(end + 1);
  }
}

// A claim of words: one string of them with spaces between, or a list of strings.
std::vector<std::string> WordsOf(const json::Value* claim) {
  std::vector<std::string> words;
  if (claim == nullptr) return words;
  if (claim->is_array()) {
    for (const json::Value& each : *claim) {
      if (each.is_string()) words.push_back(each.get<std::string>());
    }
    return words;
  }
  if (claim->is_boolean()) words.emplace_back(claim->get<bool>() ? "true" : "false");
  if (!claim->is_string()) return words;
  std::string_view rest = claim->get_ref<const std::string&>();
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    if (end > 0) words.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return words;
}

bool HasAudience(const json::Value& claims, const std::string& audience) {
  const auto found = claims.find("aud");
  if (found == claims.end()) return false;
  if (found->is_string()) return found->get_ref<const std::string&>() == audience;
  return found->is_array() && std::find(found->begin(), found->end(), audience) != found->end();
}

// It stands in logs and in the database, so it must be printable; an e-mail address is fine.
bool IsUser(std::string_view text) {
  return !text.empty() && text.size() <= kLongestUser &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
}

std::optional<std::string> TextOf(const json::Value* claim) {
  if (claim == nullptr || !claim->is_string()) return std::nullopt;
  return claim->get<std::string>();
}

bool IsOperator(const json::Value& claims, const ClaimNames& names) {
  if (names.operator_claim.empty()) return false;
  const auto words = WordsOf(Find(claims, names.operator_claim));
  return std::find(words.begin(), words.end(), names.operator_value) != words.end();
}

std::optional<Scope> ScopeOf(const std::string& word, const ClaimRules& rules) {
  if (rules.scope_names.empty()) return ParseScope(word);
  const auto found = rules.scope_names.find(word);
  return found == rules.scope_names.end() ? std::nullopt : ParseScope(found->second);
}

}  // namespace

void ClaimNames::Bind(config::Binder& binder) {
  binder.String(user, "user",
                "The claim that names the caller, as `requested_by` shows him. For all of these: a "
                "name with a slash in front is a JSON pointer, as /realm_access/roles.");
  binder.String(tenant, "tenant", "The claim that names the caller's tenant.");
  binder.String(scopes, "scopes",
                "The claim with the scopes: words in one string, or a list of strings.");
  binder.String(operator_claim, "operator",
                "The claim that tells an operator, who sees every tenant: it is "
                "`operator_value`, or has it among its words; empty = no JWT is an operator's.");
  binder.String(operator_value, "operator_value", "What the claim `operator` has to hold.");
  binder.Require(!user.empty() && !tenant.empty() && !scopes.empty(),
                 "auth.jwt.claims: user, tenant and scopes must not be empty");
  binder.Require(operator_claim.empty() == operator_value.empty(),
                 "auth.jwt.claims: operator and operator_value go together");
}

base::Timestamp TimeOf(double numeric_date) {
  const double seconds = std::clamp(numeric_date, 0.0, kLatest);
  return base::Timestamp(std::chrono::microseconds(static_cast<std::int64_t>(seconds * 1e6)));
}

base::Result<base::Timestamp> CheckClaims(const json::Value& claims, const ClaimRules& rules,
                                          base::Timestamp now) {
  if (TextOf(Find(claims, "iss")) != rules.issuer) return Refuse("the token has another issuer");
  if (!HasAudience(claims, rules.audience)) return Refuse("the token is for another audience");
  const json::Value* expires = Find(claims, "exp");
  if (expires == nullptr || !expires->is_number()) return Refuse("the token does not expire");
  const base::Timestamp until = TimeOf(expires->get<double>()) + rules.clock_skew;
  if (now >= until) return Refuse("the token has expired");
  const json::Value* begins = Find(claims, "nbf");
  if (begins != nullptr &&
      (!begins->is_number() || now < TimeOf(begins->get<double>()) - rules.clock_skew)) {
    return Refuse("the token is not valid yet");
  }
  return until;
}

base::Result<Principal> PrincipalOf(const json::Value& claims, const ClaimRules& rules) {
  Principal principal;
  const auto user = TextOf(Find(claims, rules.names.user));
  if (!user || !IsUser(*user)) {
    return Refuse("the token's claim '" + rules.names.user + "' does not name a user");
  }
  principal.name = *user;
  if (!IsOperator(claims, rules.names)) {
    auto tenant = TextOf(Find(claims, rules.names.tenant));
    if (!tenant || !IsName(*tenant)) {
      return Refuse("the token's claim '" + rules.names.tenant + "' does not name a tenant");
    }
    principal.tenant = *std::move(tenant);
  }
  for (const std::string& word : WordsOf(Find(claims, rules.names.scopes))) {
    if (const auto scope = ScopeOf(word, rules)) principal.scopes.insert(*scope);
  }
  return principal;
}

}  // namespace heliograph::auth
