#include <gtest/gtest.h>

#include "auth/callers.h"
#include "config/config.h"

namespace heliograph::auth {
namespace {

using Settings = config::Environment;

std::vector<std::string> Mistakes(const Settings& settings, Config config = {}) {
  config::Environment environment;
  for (const auto& [key, value] : settings) environment["P__" + key] = value;
  return config::Load({.file = "", .program = "p", .environment = environment},
                      [&](config::Binder& binder) { config.Bind(binder); });
}

Settings Good() {
  return {{"JWT__ISSUER", "https://id.example"},
          {"JWT__AUDIENCE", "heliograph"},
          {"JWT__KEYS__URL", "https://id.example/keys?policy=1"}};
}

Settings With(const std::string& key, const std::string& value) {
  Settings settings = Good();
  settings[key] = value;
  return settings;
}

TEST(Config, OfJwtIsWholeOrNone) {
  EXPECT_EQ(Mistakes({}), std::vector<std::string>{});
  EXPECT_EQ(Mistakes(Good()), std::vector<std::string>{});
  EXPECT_EQ(Mistakes(With("TOKENS_FILE", "")), std::vector<std::string>{});
  EXPECT_EQ(Mistakes(With("JWT__ALGORITHMS", "ES256")), std::vector<std::string>{});
  const std::pair<Settings, const char*> cases[] = {
      {{{"TOKENS_FILE", ""}}, "nobody could call"},
      {{{"JWT__AUDIENCE", "heliograph"}}, "without an issuer"},
      {With("JWT__AUDIENCE", ""), "without an audience every token of the issuer would be taken"},
      {With("JWT__KEYS__URL", ""), "without keys"},
      {With("JWT__KEYS__FILE", "keys.json"), "two sources of keys"},
      {With("JWT__ALGORITHMS", "RS256,HS256"), "a secret that is shared"},
      {With("JWT__ALGORITHMS", "none"), "no signature"},
      {With("JWT__CLOCK_SKEW_S", "3600"), "too long"},
      {With("JWT__CLAIMS__USER", ""), "nobody's name"},
      {With("JWT__CLAIMS__OPERATOR", "roles"), "an empty value would make everybody an operator"},
      {With("JWT__KEYS__URL", "http://id.example/keys"), "keys that anybody on the way can change"},
  };
  for (const auto& [settings, why] : cases) EXPECT_EQ(Mistakes(settings).size(), 1U) << why;
}

}  // namespace
}  // namespace heliograph::auth
