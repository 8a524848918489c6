#include "recorder/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/config.h"

namespace heliograph::recorder {
namespace {

std::vector<std::string> Load(Config& config, const config::Environment& environment) {
  return config::Load({"", "heliograph-recorder", environment},
                      [&](config::Binder& binder) { config.Bind(binder); });
}

TEST(Config, DefaultsAreAllRight) {
  Config config;
  EXPECT_TRUE(Load(config, {}).empty());
  EXPECT_EQ(config.max_message_bytes(), 1024U * 1024U + 64U * 1024U);
}

TEST(Config, TellsEveryMistake) {
  Config config;
  const auto mistakes = Load(config, {{"HELIOGRAPH_RECORDER__TOPICS__CONTROL", "device.control"},
                                      {"HELIOGRAPH_RECORDER__BATCH__MAX_RECORDS", "0"},
                                      {"HELIOGRAPH_RECORDER__POSTGRES__LOCK_TIMEOUT_MS", "60000"},
                                      {"HELIOGRAPH_RECORDER__KAFKA__PROPERTIES", "group.id=mine"}});
  using testing::HasSubstr;
  EXPECT_THAT(mistakes,
              testing::UnorderedElementsAre(HasSubstr("device.control"), HasSubstr("MAX_RECORDS"),
                                            HasSubstr("lock_timeout_ms"), HasSubstr("group.id")));
}

}  // namespace
}  // namespace heliograph::recorder
