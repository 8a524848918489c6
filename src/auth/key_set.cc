#include "auth/key_set.h"

#include <algorithm>
#include <utility>

#include "json/json.h"

namespace heliograph::auth {
namespace {

constexpr std::size_t kMostKeys = 100;

base::Error Wrong(const std::string& why) {
  return base::MakeError(base::ErrorCode::kInvalidArgument, why);
}

// "" for what is missing or no text: such a key is then refused for what it lacks.
std::string TextOf(const json::Value& jwk, const char* name) {
  const auto found = jwk.find(name);
  return found != jwk.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool MayVerify(const json::Value& jwk) {
  const auto operations = jwk.find("key_ops");
  if (operations == jwk.end()) return true;
  return operations->is_array() &&
         std::find(operations->begin(), operations->end(), "verify") != operations->end();
}

Jwk ReadJwk(const json::Value& jwk) {
  Jwk read;
  read.id = TextOf(jwk, "kid");
  read.type = TextOf(jwk, "kty");
  read.algorithm = TextOf(jwk, "alg");
  read.use = MayVerify(jwk) ? TextOf(jwk, "use") : "something else";
  read.modulus = TextOf(jwk, "n");
  read.exponent = TextOf(jwk, "e");
  read.curve = TextOf(jwk, "crv");
  read.x = TextOf(jwk, "x");
  read.y = TextOf(jwk, "y");
  read.is_secret = jwk.contains("d") || jwk.contains("k");
  return read;
}

}  // namespace

base::Result<KeySet> KeySet::Parse(std::string_view json) {
  const auto parsed = json::Parse(json);
  if (!parsed) return Wrong("not JSON: " + parsed.error().message);
  const auto keys = (*parsed).find("keys");
  if (!(*parsed).is_object() || keys == (*parsed).end() || !keys->is_array()) {
    return Wrong("not an object with a list `keys`");
  }
  if (keys->size() > kMostKeys) return Wrong("more than 100 keys");
  KeySet set;
  for (const json::Value& each : *keys) {
    const Jwk jwk = each.is_object() ? ReadJwk(each) : Jwk{};
    auto key = PublicKey::FromJwk(jwk);
    if (key) {
      set.keys_.push_back(*std::move(key));
    } else {
      set.passed_over_.push_back("'" + jwk.id + "': " + key.error().message);
    }
  }
  if (set.keys_.empty()) {
    return Wrong(set.passed_over_.empty()
                     ? "the set has no keys"
                     : "none of its keys can be used; the first, " + set.passed_over_.front());
  }
  return set;
}

const PublicKey* KeySet::Find(std::string_view id, Algorithm algorithm) const {
  for (const PublicKey& key : keys_) {
    if (key.id() == id && key.algorithm() == algorithm) return &key;
  }
  return nullptr;
}

bool KeySet::Has(std::string_view id) const {
  return std::any_of(keys_.begin(), keys_.end(),
                     [&](const PublicKey& key) { return key.id() == id; });
}

}  // namespace heliograph::auth
