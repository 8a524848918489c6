#include "ingest/config.h"

#include <gtest/gtest.h>

#include "config/config.h"

namespace heliograph::ingest {
namespace {

std::vector<std::string> Mistakes(const config::Environment& environment, Config& config) {
  return config::Load({.file = "", .program = "heliograph-ingest", .environment = environment},
                      [&](config::Binder& binder) { config.Bind(binder); });
}

TEST(Config, DefaultsAreValid) {
  Config config;
  EXPECT_TRUE(Mistakes({}, config).empty());
  EXPECT_EQ(config.max_message_bytes(), 1024U * 1024U + 64U * 1024U)
      << "whatever the broker lets in fits";
  EXPECT_LE(config.confirm_limit() * 3, config.mqtt.connection.keepalive)
      << "a hold near the keepalive ends in a dropped link";
}

TEST(Config, TellsWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"HELIOGRAPH_INGEST__TOPIC_PREFIX", "a/+/b"},
      {"HELIOGRAPH_INGEST__TOPICS__CONTROL", "device.control"},
      {"HELIOGRAPH_INGEST__MQTT__CLIENT_ID", "ingest"},
      {"HELIOGRAPH_INGEST__MQTT__RECEIVE_MAXIMUM", "65536"},
      {"HELIOGRAPH_INGEST__WINDOW__MAX_AGE_MS", "0"},
      {"HELIOGRAPH_INGEST__NO_SUCH_KEY", "1"},
  };
  for (const auto& [name, value] : cases) {
    Config config;
    EXPECT_EQ(Mistakes({{name, value}}, config).size(), 1U) << name;
  }
}

TEST(Topics, ControlIsKeptForEver) {
  const Topics topics = PlanTopics(Config());
  EXPECT_TRUE(topics.control.keep_for_ever) << "the state is rebuilt from it";
  EXPECT_FALSE(topics.data.keep_for_ever);
  EXPECT_EQ(topics.data.max_message_bytes, Config().max_message_bytes());
}

}  // namespace
}  // namespace heliograph::ingest
