#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/config.h"
#include "owner/owners.h"

namespace heliograph::owner {
namespace {

using Settings = std::map<std::string, std::string>;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kUrl = "https://id.example/owners/{client_id}";

std::vector<std::string> Mistakes(const Settings& settings) {
  Config config;
  config::Environment environment;
  for (const auto& [key, value] : settings) environment["P__" + key] = value;
  return config::Load({.file = "", .program = "p", .environment = environment},
                      [&](config::Binder& binder) { config.Bind(binder); });
}

TEST(Config, NamesOneOfTheTwo) {
  EXPECT_THAT(Mistakes({}), IsEmpty()) << "a rules file, unless said";
  EXPECT_THAT(Mistakes({{"RULES_FILE", ""}, {"HTTP__URL", kUrl}}), IsEmpty());
  EXPECT_THAT(Mistakes({{"HTTP__URL", kUrl}}), ElementsAre(HasSubstr("exclude each other")));
  EXPECT_THAT(Mistakes({{"RULES_FILE", "o.yaml"}, {"HTTP__URL", kUrl}}),
              ElementsAre(HasSubstr("rules_file: \"\"")));
  EXPECT_THAT(Mistakes({{"RULES_FILE", ""}}), ElementsAre(HasSubstr("no device has an owner")));
}

TEST(Config, OfTheServiceIsSound) {
  const auto with = [](const char* key, const char* value) {
    Settings settings{{"RULES_FILE", ""}, {"HTTP__URL", kUrl}};
    settings[key] = value;
    return Mistakes(settings);
  };
  EXPECT_THAT(with("HTTP__URL", "https://id.example/"), ElementsAre(HasSubstr("{client_id}")));
  EXPECT_THAT(with("HTTP__URL", "http://id.example/{client_id}"), ElementsAre(HasSubstr("https")));
  EXPECT_THAT(with("HTTP__CHECK_S", "45"), ElementsAre(HasSubstr("cache_s")));
  EXPECT_THAT(with("HTTP__RETRY_S", "3600"), IsEmpty());
  EXPECT_THAT(with("HTTP__TIMEOUT_MS", "10001"), ElementsAre(HasSubstr("timeout_ms")));
  EXPECT_THAT(with("HTTP__WAIT_MS", "5000"), ElementsAre(HasSubstr("WAIT_MS")));
  EXPECT_THAT(with("HTTP__TOKEN_FILE", "/nowhere/token"), ElementsAre(HasSubstr("TOKEN_FILE")));
}

}  // namespace
}  // namespace heliograph::owner
