#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "unit/config/settings.h"

namespace heliograph::config::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

class Loading : public ::testing::Test {
 protected:
  std::vector<std::string> LoadYaml(const std::string& yaml, Environment environment = {}) {
    file_ = folder_.Write("test.yaml", yaml);
    return LoadFile(file_, std::move(environment));
  }
  std::vector<std::string> LoadFile(const std::string& file, Environment environment = {}) {
    return Load({file, "heliograph-test", std::move(environment)}, BindTo(settings_));
  }

  Folder folder_;
  std::string file_;
  Settings settings_;
};

TEST_F(Loading, WithoutAFileEverythingIsDefault) {
  EXPECT_THAT(LoadFile(""), IsEmpty());
  EXPECT_EQ(settings_.prefix, "heliograph");
  EXPECT_THAT(settings_.hosts, ElementsAre("localhost:8884"));
  EXPECT_EQ(settings_.kafka.linger, std::chrono::milliseconds(5));
}

TEST_F(Loading, AnEmptyFileAndEmptyValuesAreDefault) {
  for (const char* yaml :
       {"", "# nothing\n", "---\n", "kafka:\n", "window:\n", "kafka: {linger_ms: }\n", "~\n"}) {
    EXPECT_THAT(LoadYaml(yaml), IsEmpty()) << yaml;
    EXPECT_EQ(settings_.window, 100);
  }
}

TEST_F(Loading, ReadsEveryKind) {
  const std::string secret = folder_.Write("password", "hunter2 \n\r\n");
  EXPECT_THAT(LoadYaml("topic_prefix: redhat/insights\nformat: json\nstrict: true\nwindow: "
                       "7\nhosts: [a, \"b:1\"]\n"
                       "password_file: " +
                       secret +
                       "\nkafka:\n  brokers: 'k:1,k:2'\n  linger_ms: 20\n  retention_h: 3\n"
                       "  properties: {security.protocol: SSL, socket.timeout.ms: 5}\n"),
              IsEmpty());
  EXPECT_EQ(settings_.prefix, "redhat/insights");
  EXPECT_EQ(settings_.format, "json");
  EXPECT_TRUE(settings_.strict);
  EXPECT_EQ(settings_.window, 7);
  EXPECT_THAT(settings_.hosts, ElementsAre("a", "b:1"));
  EXPECT_EQ(settings_.password.Reveal(), "hunter2 ") << "without its line ends";
  EXPECT_EQ(settings_.kafka.brokers, "k:1,k:2");
  EXPECT_EQ(settings_.kafka.linger, std::chrono::milliseconds(20));
  EXPECT_EQ(settings_.kafka.retention, std::chrono::hours(3));
  EXPECT_THAT(settings_.kafka.properties,
              ElementsAre(Pair("security.protocol", "SSL"), Pair("socket.timeout.ms", "5")));
}

struct Mistake {
  const char* yaml;
  const char* message;
};

TEST_F(Loading, EachMistakeIsToldWithItsLine) {
  const Mistake table[] = {
      {"\n\nwindw: 5\n", ":3: windw is not a setting"},
      {"kafka:\n  broker: x\n", ":2: kafka.broker is not a setting"},
      {"window: many\n", ":1: window is 'many', must be a whole number"},
      {"window: 5.0\n", ":1: window is '5.0', must be a whole number"},
      {"window: 0x10\n", ":1: window is '0x10', must be a whole number"},
      {"window: ''\n", ":1: window is '', must be a whole number"},
      {"window: 99999999999999999999\n",
       ":1: window is '99999999999999999999', must be a whole number"},
      {"window: 0\n", ":1: window is 0, must be from 1 to 1000"},
      {"window: 1001\n", ":1: window is 1001, must be from 1 to 1000"},
      {"window: -5\n", ":1: window is -5, must be from 1 to 1000"},
      {"window: [1]\n", ":1: window must be a single value"},
      {"window: {a: 1}\n", ":1: window must be a single value"},
      {"strict: yes\n", ":1: strict is 'yes', must be true or false"},
      {"strict: 1\n", ":1: strict is '1', must be true or false"},
      {"format: xml\n", ":1: format is 'xml', must be one of: auto, text, json"},
      {"kafka: {linger_ms: 1001}\n", ":1: kafka.linger_ms is 1001, must be from 0 to 1000"},
      {"kafka: {retention_h: 0}\n", ":1: kafka.retention_h is 0, must be from 1 to 1000"},
      {"kafka: 5\n", ":1: kafka must be a section with keys of its own"},
      {"kafka: [a]\n", ":1: kafka must be a section with keys of its own"},
      {"hosts: {a: b}\n", ":1: hosts must be a list"},
      {"hosts: [[a]]\n", ":1: hosts must be a list of single values"},
      {"kafka: {properties: [a]}\n", ":1: kafka.properties must be a map of name: value"},
      {"kafka: {properties: {a: [b]}}\n",
       ":1: kafka.properties must be a map of name: single value"},
      {"window: 5\nwindow: 6\n", ":2: window is given twice"},
      {"kafka: {linger_ms: 1}\nkafka: {linger_ms: 2}\n", ":2: kafka is given twice"},
      {"password_file: /no/such/file\n",
       ":1: password_file names the file '/no/such/file', which cannot be read"},
      {"password_file: /\n", ":1: password_file names the file '/', which cannot be read"},
      {"topic_prefix: forbidden\n", ": topic_prefix must not be forbidden"},
      {"- a\n- b\n", ":1: the file must hold settings as `key: value`"},
      {"just text\n", ":1: the file must hold settings as `key: value`"},
      {"window: 5\n---\nwindow: 6\n", ": a second document; settings are one"},
      {"window: [1\n", ":"},
      {"a: b: c\n", ":1: "},
      {"window:\t5\n  x: 1\n", ":"},
      {"%\n", ":"},
  };
  for (const Mistake& row : table) {
    SCOPED_TRACE(row.yaml);
    const auto mistakes = LoadYaml(row.yaml);
    ASSERT_FALSE(mistakes.empty());
    EXPECT_TRUE(mistakes.front().starts_with(file_)) << mistakes.front();
    EXPECT_THAT(mistakes, ::testing::Contains(HasSubstr(row.message)));
  }
}

TEST_F(Loading, AllMistakesComeAtOnce) {
  const auto mistakes =
      LoadYaml("windw: 1\nwindow: 0\nstrict: maybe\nkafka:\n  linger_ms: x\n  brokr: y\n",
               {{"HELIOGRAPH_TEST__FORMAT", "xml"}, {"HELIOGRAPH_TEST__NO_SUCH", "1"}});
  EXPECT_EQ(mistakes.size(), 7U) << ::testing::PrintToString(mistakes);
}

TEST_F(Loading, AFileThatCannotBeReadIsOneMistake) {
  for (const std::string& file : {std::string("/no/such/file.yaml"), folder_.path()}) {
    const auto mistakes = LoadFile(file);
    ASSERT_EQ(mistakes.size(), 1U) << file;
    EXPECT_THAT(mistakes.front(), HasSubstr(file));
  }
}

TEST_F(Loading, HostileYamlIsAMistakeNotACrash) {
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "[";
  EXPECT_FALSE(LoadYaml(deep).empty());
  EXPECT_FALSE(LoadYaml(std::string("a: \0b\n", 6)).empty());
  EXPECT_FALSE(LoadYaml("? [a, b]\n: c\n").empty());
  EXPECT_FALSE(LoadYaml("window: *nobody\n").empty());
}

TEST_F(Loading, TheEnvironmentOverridesTheFile) {
  EXPECT_THAT(LoadYaml("topic_prefix: file\nwindow: 5\nhosts: [file]\nkafka: {linger_ms: 1, "
                       "properties: {a: file}}\n",
                       {{"HELIOGRAPH_TEST__TOPIC_PREFIX", "environment"},
                        {"HELIOGRAPH_TEST__HOSTS", "a, b:1 ,,c"},
                        {"HELIOGRAPH_TEST__KAFKA__LINGER_MS", "9"},
                        {"HELIOGRAPH_TEST__KAFKA__PROPERTIES", "x=1, y = a=b"},
                        {"HELIOGRAPH_OTHER__WINDOW", "nonsense"},
                        {"HELIOGRAPH_TEST_PORT", "nonsense"}}),
              IsEmpty());
  EXPECT_EQ(settings_.prefix, "environment");
  EXPECT_EQ(settings_.window, 5) << "what is not overridden stays";
  EXPECT_THAT(settings_.hosts, ElementsAre("a", "b:1", "c"));
  EXPECT_EQ(settings_.kafka.linger, std::chrono::milliseconds(9));
  EXPECT_THAT(settings_.kafka.properties, ElementsAre(Pair("x", "1"), Pair("y", "a=b")));
}

TEST_F(Loading, MistakesInTheEnvironmentAreToldByName) {
  const Mistake table[] = {
      {"HELIOGRAPH_TEST__WINDOW=0", "HELIOGRAPH_TEST__WINDOW is 0, must be from 1 to 1000"},
      {"HELIOGRAPH_TEST__STRICT=yes", "HELIOGRAPH_TEST__STRICT is 'yes', must be true or false"},
      {"HELIOGRAPH_TEST__KAFKA__PROPERTIES=a",
       "HELIOGRAPH_TEST__KAFKA__PROPERTIES must be name=value,name=value"},
      {"HELIOGRAPH_TEST__KAFKA=a",
       "HELIOGRAPH_TEST__KAFKA is not a setting (from the environment)"},
      {"HELIOGRAPH_TEST__KAFKA__NOPE=a",
       "HELIOGRAPH_TEST__KAFKA__NOPE is not a setting (from the environment)"},
      {"HELIOGRAPH_TEST__window=5",
       "HELIOGRAPH_TEST__window is not a setting (from the environment)"},
  };
  for (const Mistake& row : table) {
    const std::string pair = row.yaml;
    const auto equals = pair.find('=');
    EXPECT_THAT(LoadFile("", {{pair.substr(0, equals), pair.substr(equals + 1)}}),
                ElementsAre(row.message));
  }
}

TEST_F(Loading, AnEmptyListIsAnEmptyList) {
  EXPECT_THAT(LoadYaml("hosts: []\n"), IsEmpty());
  EXPECT_THAT(settings_.hosts, IsEmpty());
  EXPECT_THAT(LoadYaml("hosts: one, two\n"), IsEmpty());
  EXPECT_THAT(settings_.hosts, ElementsAre("one", "two"))
      << "a text is split, as from the environment";
}

TEST_F(Loading, ADurationWithoutAUnitIsAMistakeOfTheProgram) {
  std::chrono::milliseconds value{1};
  const auto bind = [&](Binder& binder) {
    binder.Duration(value, "timeout", {std::chrono::milliseconds(0), std::chrono::milliseconds(1)},
                    "No unit.");
  };
  EXPECT_THROW(Load({folder_.Write("t.yaml", "timeout: 1\n"), "heliograph-test", {}}, bind),
               std::logic_error);
  EXPECT_THROW(WriteCommentedYaml(bind), std::logic_error)
      << "so that the first print of the reference finds it";
}

}  // namespace
}  // namespace heliograph::config::testing
