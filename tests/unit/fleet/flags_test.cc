#include "fleet/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heliograph::fleet {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

Options Parse(const std::vector<std::string>& arguments,
              const config::Environment& environment = {}) {
  auto parsed = ParseFlags(arguments, environment);
  if (const auto* ending = std::get_if<Ending>(&parsed)) ADD_FAILURE() << ending->text;
  return std::holds_alternative<Options>(parsed) ? std::get<Options>(parsed) : Options();
}

Ending Refuse(const std::vector<std::string>& arguments) {
  auto parsed = ParseFlags(arguments, {});
  if (!std::holds_alternative<Ending>(parsed)) {
    ADD_FAILURE() << "taken";
    return {};
  }
  return std::get<Ending>(parsed);
}

TEST(ParseFlags, TakesBothFormsAndSwitches) {
  const Options options =
      Parse({"--devices", "20", "--port=1883", "--numbered", "--payload-bytes=200", "--interval-s",
             "3", "--answer-delay-ms=250", "--json=false"});
  EXPECT_EQ(options.devices, 20);
  EXPECT_EQ(options.port, 1883);
  EXPECT_TRUE(options.numbered);
  EXPECT_EQ(options.payload_bytes, 200);
  EXPECT_EQ(options.interval, std::chrono::seconds(3));
  EXPECT_EQ(options.answer_delay, std::chrono::milliseconds(250));
  EXPECT_FALSE(options.json);
}

TEST(ParseFlags, AFlagGoesBeforeTheEnvironment) {
  const config::Environment environment = {{"HELIOGRAPH_FLEET__PORT", "1"},
                                           {"HELIOGRAPH_FLEET__HOST", "broker"},
                                           {"HELIOGRAPH_INGEST__HOST", "not ours"}};
  const Options options = Parse({"--port", "2"}, environment);
  EXPECT_EQ(options.port, 2);
  EXPECT_EQ(options.host, "broker");
}

TEST(ParseFlags, SpeaksOfFlagsInItsRefusals) {
  struct Case {
    std::vector<std::string> arguments;
    const char* message;
  };
  const Case cases[] = {
      {{"--topic-prefiks", "a"}, "--topic-prefiks is not a setting"},
      {{"--devices"}, "--devices needs a value"},
      {{"--devices", "--numbered"}, "--devices needs a value"},
      {{"--devices", "many"}, "--devices is 'many', must be a whole number"},
      {{"--devices=0"}, "--devices is 0, must be from 1"},
      {{"devices"}, "'devices' is not a flag"},
      {{"--topic-prefix", "a/#"}, "topic_prefix must be"},
      {{"--acks", "file"}, "need numbered"},
      {{"--receipts"}, "receipts needs numbered"},
      {{"--numbered", "--qos", "0"}, "numbered needs qos 1"},
  };
  for (const Case& one : cases) {
    const Ending ending = Refuse(one.arguments);
    EXPECT_EQ(ending.exit_code, 2) << one.message;
    EXPECT_THAT(ending.text, HasSubstr(one.message));
  }
}

TEST(ParseFlags, HelpNamesEveryFlagWithItsDefault) {
  const Ending ending = Refuse({"--help"});
  EXPECT_EQ(ending.exit_code, 0);
  EXPECT_THAT(ending.text, AllOf(HasSubstr("--client-id-prefix"), HasSubstr("[solar-]"),
                                 HasSubstr("--interval-s"), HasSubstr("[10]")));
}

TEST(DeviceNames, FromPrefixAndNumberOrFromAFile) {
  Options options;
  options.devices = 3;
  options.client_id_prefix = "pv-";
  EXPECT_THAT(*DeviceNames(options), ElementsAre("pv-1", "pv-2", "pv-3"));
  options.client_id_prefix = "pv/";
  EXPECT_FALSE(DeviceNames(options)) << "no client id";
  options.devices_file = "/nonexistent/names";
  const auto missing = DeviceNames(options);
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("/nonexistent/names"));
}

}  // namespace
}  // namespace heliograph::fleet
