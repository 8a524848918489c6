#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "unit/config/settings.h"

namespace heliograph::config::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Settings Odd(const Folder& folder) {
  Settings settings;
  settings.prefix = "a\"b\\c\nd\te\x01 \xc3\xa9 #x: {y} | `z`";
  settings.hosts = {"a,b", "", " c "};
  settings.kafka.properties = {{"sasl.username", "u"},
                               {"sasl.password", "hunter2"},
                               {"ssl.key.password", "hunter2"},
                               {"ssl.key.pem", "hunter2"},
                               {"sasl.oauthbearer.client.secret", "hunter2"}};
  std::ignore =
      Load({folder.Write("t.yaml", "password_file: " + folder.Write("p", "hunter2") + "\n"),
            "heliograph-test",
            {}},
           BindTo(settings));
  return settings;
}

TEST(Print, ShowsWhatIsInEffectAndNoSecret) {
  const Folder folder;
  Settings settings = Odd(folder);
  const std::string text = Print(BindTo(settings));
  EXPECT_THAT(text, Not(HasSubstr("hunter2")));
  EXPECT_THAT(text, HasSubstr("password_file: \"***\"\n"));
  EXPECT_THAT(text, HasSubstr("\"sasl.username\": \"u\""));
  EXPECT_THAT(
      text,
      HasSubstr("kafka:\n  brokers: \"127.0.0.1:9092\"\n  linger_ms: 5\n  retention_h: 48\n"));
}

TEST(Print, ReadsBack) {
  const Folder folder;
  Settings settings = Odd(folder);
  settings.password = base::Secret();
  settings.kafka.properties = {{"a.b", "c: d"}};
  Settings read;
  EXPECT_THAT(Load({folder.Write("back.yaml", Print(BindTo(settings))), "heliograph-test", {}},
                   BindTo(read)),
              IsEmpty());
  EXPECT_EQ(read.prefix, settings.prefix);
  EXPECT_EQ(read.hosts, settings.hosts);
  EXPECT_EQ(read.kafka.properties, settings.kafka.properties);
}

TEST(WriteCommentedYaml, IsAllDefaultsAndReadsBack) {
  Settings defaults;
  const std::string yaml = WriteCommentedYaml(BindTo(defaults));
  EXPECT_THAT(yaml, HasSubstr("# Messages at a time. (1 to 1000)\nwindow: 100\n"));
  EXPECT_THAT(
      yaml,
      HasSubstr("\n# Kafka.\nkafka:\n  # Bootstrap servers.\n  brokers: \"127.0.0.1:9092\"\n"));
  const Folder folder;
  Settings read;
  EXPECT_THAT(Load({folder.Write("all.yaml", yaml), "heliograph-test", {}}, BindTo(read)),
              IsEmpty());
  EXPECT_EQ(WriteCommentedYaml(BindTo(read)), yaml);
}

TEST(WriteReference, HasARowForEachSetting) {
  Settings settings;
  settings.prefix = "a|b";
  const std::string table = WriteReference("heliograph-test", BindTo(settings));
  EXPECT_THAT(table, HasSubstr("## heliograph-test\n\n| setting | default | values | what it is "
                               "|\n|---|---|---|---|\n"));
  EXPECT_THAT(table, HasSubstr("| `window` | `100` | 1 to 1000 | Messages at a time. |\n"));
  EXPECT_THAT(
      table,
      HasSubstr("| `kafka.retention_h` | `48` | 1 to 1000 | How long records are kept. |\n"));
  EXPECT_THAT(table, HasSubstr("| `topic_prefix` | `\"a\\|b\"` |")) << "a bar ends no cell";
  EXPECT_THAT(table, Not(HasSubstr("| `kafka` |"))) << "a section is no setting";
}

}  // namespace
}  // namespace heliograph::config::testing
