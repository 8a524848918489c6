#include "log/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "json/json.h"

namespace heliograph::log {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

// What `write` writes to standard error.
template <class Write>
std::string Written(Level level, Format format, Write write) {
  ::testing::internal::CaptureStderr();
  SetUp(level, format, "heliograph-test");
  write(Logger("kafka"));
  return ::testing::internal::GetCapturedStderr();
}

json::Value WrittenJson(Fields fields) {
  const std::string line = Written(Level::kDebug, Format::kJson,
                                   [&](const Logger& log) { log.Info("it happened", fields); });
  EXPECT_EQ(line.find('\n'), line.size() - 1) << "one event, one line";
  const auto parsed = json::Parse(line);
  EXPECT_TRUE(parsed) << line;
  return parsed ? *parsed : json::Value();
}

TEST(JsonLines, BeginWithFixedMembers) {
  const auto line =
      WrittenJson({{"topic", "device.data"}, {"partitions", 3}, {"late", true}, {"seconds", 0.25}});
  EXPECT_THAT(line["time"].get<std::string>(), ContainsRegex("^[0-9-]{10}T[0-9:]{8}\\.[0-9]{3}Z$"));
  EXPECT_EQ(line["level"], "info");
  EXPECT_EQ(line["program"], "heliograph-test");
  EXPECT_EQ(line["component"], "kafka");
  EXPECT_EQ(line["message"], "it happened");
  EXPECT_EQ(line["topic"], "device.data");
  EXPECT_EQ(line["partitions"], 3);
  EXPECT_EQ(line["late"], true);
  EXPECT_EQ(line["seconds"], 0.25);
}

TEST(JsonLines, AreJsonWhateverIsInThem) {
  const std::string replacement = "\xef\xbf\xbd";
  struct Row {
    std::string text;
    std::string read;
    const char* reason;
  };
  const Row table[] = {
      {"\"quoted\" \\ and /", "\"quoted\" \\ and /", "what JSON escapes"},
      {"a\nb\r\tc", "a\nb\r\tc", "line ends stay within the line"},
      {std::string("a\0b\x01\x1f\x7f", 6), std::string("a\0b\x01\x1f\x7f", 6),
       "control characters"},
      {"\xc2\x85\xc2\x9b[31m", "\xc2\x85\xc2\x9b[31m", "C1 control characters"},
      {"gr\xc3\xbc\xc3\x9f \xf0\x9f\x8c\x9e", "gr\xc3\xbc\xc3\x9f \xf0\x9f\x8c\x9e", "UTF-8 stays"},
      {"a\xff\xfe", "a" + replacement + replacement, "no UTF-8"},
      {"\xc3(", replacement + "(", "a beginning without its end"},
      {"\xed\xa0\x80", replacement + replacement + replacement, "a surrogate"},
      {"cut \xe2\x82", "cut " + replacement + replacement, "cut in a character"},
      {"\xf0\x9f\x8c", replacement + replacement + replacement, "cut in a character"},
      {"%s %n {} {0}", "%s %n {} {0}", "nothing is a format"},
      {"", "", "nothing"},
  };
  for (const Row& row : table) {
    SCOPED_TRACE(row.reason);
    EXPECT_EQ(WrittenJson({{"text", row.text}})["text"], row.read);
    EXPECT_EQ(WrittenJson({{row.text, 1}})[row.read], 1) << "as a name too";
  }
}

TEST(JsonLines, EveryByteGivesALine) {
  for (int first = 0; first < 256; ++first) {
    for (const int second :
         std::initializer_list<int>{-1, 0, '"', '\\', '\n', 0x80, 0xbf, 0xc2, 0xff}) {
      std::string text(1, static_cast<char>(first));
      if (second >= 0) text += static_cast<char>(second);
      ASSERT_TRUE(WrittenJson({{"text", text}})["text"].is_string()) << first << " " << second;
    }
  }
}

TEST(JsonLines, NumbersThatJsonLacksAreNull) {
  for (const double number : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    EXPECT_TRUE(WrittenJson({{"number", number}})["number"].is_null());
  }
  EXPECT_EQ(WrittenJson({{"number", std::numeric_limits<std::int64_t>::min()}})["number"],
            std::numeric_limits<std::int64_t>::min());
}

TEST(TextLines, ReadWell) {
  const std::string line = Written(Level::kInfo, Format::kText, [](const Logger& log) {
    log.Warn("topic has another shape", {{"topic", "device.data"},
                                         {"said", "two words"},
                                         {"count", 2},
                                         {"ok", false},
                                         {"none", ""}});
  });
  EXPECT_THAT(
      line, ContainsRegex("^[0-9-]{10}T[0-9:.]{12}Z warn  kafka: topic has another shape "
                          "topic=device\\.data said=\"two words\" count=2 ok=false none=\"\"\n$"));
}

TEST(TextLines, GiveNoOrdersToATerminal) {
  const std::string line = Written(Level::kInfo, Format::kText, [](const Logger& log) {
    log.Info("said", {{"text", "\x1b[31m\nfake line"},
                      {"c1",
                       "\xc2\x9b"
                       "31m"},
                      {"raw",
                       "\x9b"
                       "31m"}});
  });
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
  EXPECT_EQ(line.find('\x9b'), std::string::npos);
}

TEST(Levels, LeaveOutWhatIsBelow) {
  struct Row {
    Level level;
    std::vector<std::string> written;
  };
  const Row table[] = {{Level::kDebug, {"debug", "info", "warn", "error"}},
                       {Level::kInfo, {"info", "warn", "error"}},
                       {Level::kWarn, {"warn", "error"}},
                       {Level::kError, {"error"}},
                       {Level::kOff, {}}};
  for (const Row& row : table) {
    const std::string text = Written(row.level, Format::kJson, [](const Logger& log) {
      log.Debug("x");
      log.Info("x");
      log.Warn("x");
      log.Error("x");
    });
    std::vector<std::string> levels;
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
      levels.push_back((*json::Parse(text.substr(at, text.find('\n', at) - at)))["level"]);
    }
    EXPECT_EQ(levels, row.written);
  }
}

TEST(RateLimits, LetOnePassAndCountTheRest) {
  RateLimit once(std::chrono::hours(1));
  const std::string line = Written(Level::kInfo, Format::kJson, [&](const Logger& log) {
    for (int i = 0; i < 5; ++i) log.Warn(once, "again");
  });
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_THAT(line, Not(HasSubstr("suppressed"))) << "none was held back before the first";

  RateLimit never_limits(std::chrono::milliseconds(0));
  std::uint64_t suppressed = 7;
  EXPECT_TRUE(never_limits.Pass(suppressed));
  EXPECT_EQ(suppressed, 0U);
  EXPECT_TRUE(never_limits.Pass(suppressed));
}

}  // namespace
}  // namespace heliograph::log
