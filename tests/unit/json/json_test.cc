#include "json/json.h"

#include <gtest/gtest.h>

#include <chrono>
#include <iterator>
#include <random>
#include <string>

namespace heliograph::json {
namespace {

std::string Repeated(const std::string& text, std::size_t times) {
  std::string all;
  all.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

TEST(Parse, TakesWhatIsWellFormed) {
  struct Row {
    std::string text;
    Value value;
    const char* reason;
  };
  const Row table[] = {
      {"null", nullptr, "any value is a text (RFC 8259)"},
      {" \t\r\n 1 \n", 1, "white space around"},
      {R"({"a":[1,2,{"b":null}]})", {{"a", {1, 2, {{"b", nullptr}}}}}, "nested"},
      {R"("\u00e9\n\ud83c\udf1e")", "\xc3\xa9\n\xf0\x9f\x8c\x9e", "escapes, a pair of surrogates"},
      {R"("\u0000")", std::string(1, '\0'), "U+0000, escaped"},
      {"9223372036854775807", std::int64_t{9223372036854775807}, "the largest of 64 bits"},
      {"-9223372036854775808", std::int64_t{-9223372036854775807 - 1}, "the smallest"},
      {"18446744073709551615", std::uint64_t{18446744073709551615U}, "the largest without a sign"},
      {"18446744073709551616", 18446744073709551616.0, "beyond it a double"},
      {"1e308", 1e308, "a large double"},
      {"1e-999", 0.0, "too small is zero"},
      {R"({"":1})", {{"", 1}}, "an empty name"},
      {R"({"a":{"x":1},"b":{"x":1}})",
       {{"a", {{"x", 1}}}, {"b", {{"x", 1}}}},
       "a name once in each object"},
      {Repeated("[", 64) + Repeated("]", 64), {}, "64 levels"},
  };
  for (const Row& row : table) {
    const Parsed parsed = Parse(row.text);
    ASSERT_TRUE(parsed) << row.reason << ": " << parsed.error().message;
    if (row.text.size() != 128) {
      EXPECT_EQ(*parsed, row.value) << row.reason;
    }
  }
}

TEST(Parse, RefusesPoison) {
  struct Row {
    std::string text;
    Fault fault;
    const char* reason;
  };
  const Row table[] = {
      {"", Fault::kSyntax, "nothing"},
      {" ", Fault::kSyntax, "nothing but white space"},
      {"{", Fault::kSyntax, "cut"},
      {R"({"a":)", Fault::kSyntax, "cut"},
      {R"({"a")", Fault::kSyntax, "cut"},
      {R"({"a":1)", Fault::kSyntax, "cut"},
      {"[1,]", Fault::kSyntax, "a comma too many"},
      {R"({"a":1,})", Fault::kSyntax, "a comma too many"},
      {"{} {}", Fault::kSyntax, "two values"},
      {"{}x", Fault::kSyntax, "something after it"},
      {"{'a':1}", Fault::kSyntax, "other quotes"},
      {"{a:1}", Fault::kSyntax, "no quotes"},
      {"// x\n1", Fault::kSyntax, "comments are not JSON"},
      {"/* */1", Fault::kSyntax, "comments are not JSON"},
      {"NaN", Fault::kSyntax, "no such number"},
      {"Infinity", Fault::kSyntax, "no such number"},
      {"-", Fault::kSyntax, "no number"},
      {"01", Fault::kSyntax, "a zero before"},
      {"+1", Fault::kSyntax, "a plus"},
      {".5", Fault::kSyntax, "no digit before"},
      {"1.", Fault::kSyntax, "no digit after"},
      {"0x10", Fault::kSyntax, "hexadecimal"},
      {"1e", Fault::kSyntax, "no exponent"},
      {"True", Fault::kSyntax, "a capital"},
      {"tru", Fault::kSyntax, "cut"},
      {"\"a", Fault::kSyntax, "cut"},
      {"\"a\nb\"", Fault::kSyntax, "a control character must be escaped"},
      {std::string("\"a\0b\"", 5), Fault::kSyntax, "NUL in a string"},
      {std::string("\0", 1), Fault::kSyntax, "NUL"},
      {std::string("1\0", 2), Fault::kSyntax, "NUL after a value"},
      {R"("\x41")", Fault::kSyntax, "no such escape"},
      {R"("\u12")", Fault::kSyntax, "half an escape"},
      {R"("\ud800")", Fault::kSyntax, "half a pair"},
      {R"("\udc00\ud800")", Fault::kSyntax, "a pair the wrong way round"},
      {"\"\xff\"", Fault::kSyntax, "not UTF-8"},
      {"\"\xc0\x80\"", Fault::kSyntax, "overlong"},
      {"\"\xed\xa0\x80\"", Fault::kSyntax, "a surrogate in UTF-8"},
      {"\"\xf4\x90\x80\x80\"", Fault::kSyntax, "beyond U+10FFFF"},
      {"{\"\xff\":1}", Fault::kSyntax, "not UTF-8 in a name"},
      {"\xfe\xff\0[\0]", Fault::kSyntax, "UTF-16"},
      {"1e400", Fault::kNumberRange, "more than a double holds"},
      {"-1e400", Fault::kNumberRange, "more than a double holds"},
      {"[1" + std::string(400, '0') + "]", Fault::kNumberRange, "a huge whole number"},
      {R"({"a":1,"a":2})", Fault::kDuplicateKey, "twice"},
      {R"({"a":1,"\u0061":2})", Fault::kDuplicateKey, "twice, once escaped"},
      {R"([{"x":{"a":1,"b":2,"a":3}}])", Fault::kDuplicateKey, "twice, deep inside"},
      {Repeated("[", 65) + Repeated("]", 65), Fault::kTooDeep, "65 levels"},
      {Repeated(R"({"a":)", 65) + "1" + Repeated("}", 65), Fault::kTooDeep, "65 levels of objects"},
      {Repeated("[", 10000) + Repeated("]", 10000), Fault::kTooDeep, "depth 10,000"},
      {Repeated("[", 1024 * 1024), Fault::kTooDeep, "1 MiB of ["},
      {Repeated(R"({"a":)", 200000), Fault::kTooDeep, "1 MB of objects"},
  };
  for (const Row& row : table) {
    SCOPED_TRACE(row.reason);
    const Parsed parsed = Parse(row.text);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().fault, row.fault) << parsed.error().message;
    EXPECT_LT(parsed.error().message.size(), 200U);
  }
}

// The library's own reader is slower, and the measure of ours: whatever the text, both take it or
// neither does, and to the same value.
TEST(Parse, AgreesWithTheLibraryOnSpoiltTexts) {
  const std::string seeds[] = {
      R"({"type":"connection-status","version":1,"sent":"2026-01-01T00:00:00Z","content":{"state":"online"}})",
      R"([0,-0,10,-1,1.5,-2.25e-3,1E+5,123456789012345678901,true,false,null,"",{},[]])",
      R"( { "a" : [ "\u00e9\u20ac\ud83c\udf1e\"\\\/\b\f\n\r\t" , { "b" : [ ] } ] } )",
      "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8c\x9e \xed\x9f\xbf \xee\x80\x80 \xf4\x8f\xbf\xbf\"",
      "\xef\xbb\xbf[1]",
  };
  const std::string spoil =
      std::string("{}[]\",:\\/u0123456789abcdefE+-. tfnrls\n\x7f\x80\xbf\xc3\xe2\xed\xf0\xff") +
      '\x01';
  std::mt19937 random(1);
  const auto any = [&random](std::size_t below) { return random() % below; };
  for (int i = 0; i < 200'000; ++i) {
    std::string text = seeds[any(std::size(seeds))];
    for (std::size_t changes = any(4); changes > 0 && !text.empty(); --changes) {
      const std::size_t at = any(text.size());
      if (any(3) == 0) {
        text.erase(at, 1 + any(3));
      } else if (any(2) == 0) {
        text.insert(at, 1, spoil[any(spoil.size())]);
      } else {
        text[at] = spoil[any(spoil.size())];
      }
    }
    const Value expected = Value::parse(text, nullptr, false);
    const Parsed parsed = Parse(text);
    if (!parsed && parsed.error().fault == Fault::kDuplicateKey) continue;
    ASSERT_EQ(static_cast<bool>(parsed), !expected.is_discarded()) << text;
    if (!parsed) continue;
    ASSERT_EQ(*parsed, expected) << text;
    ASSERT_EQ(Write(*parsed), expected.dump()) << text;
  }
}

TEST(Parse, TakesNoLongerThanTheTextIsLong) {
  const std::string table[] = {
      Repeated("[", 1024 * 1024),
      "[" + Repeated("1,", 512 * 1024) + "1]",
      "\"" + Repeated("\\u0041", 170000) + "\"",
      "\"" + std::string(1024 * 1024, 'a') + "\"",
      Repeated(" ", 1024 * 1024) + "1",
      "1" + Repeated("0", 1024 * 1024),
      "0." + Repeated("1", 1024 * 1024),
      Repeated("[{\"a\":[", 1000000 / 7),
  };
  for (const std::string& text : table) {
    const auto started = std::chrono::steady_clock::now();
    std::ignore = Parse(text);
    EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(5))
        << text.substr(0, 20);
  }
}

TEST(Parse, ManyNamesInOneObjectAreNoQuadraticWork) {
  std::string text = "{";
  for (int i = 0; i < 60000; ++i) text += "\"" + std::to_string(i * 7919) + "\":1,";
  text.back() = '}';
  const auto started = std::chrono::steady_clock::now();
  EXPECT_TRUE(Parse(text));
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(5));
}

TEST(Parse, HoldsTheDepthToTheLevel) {
  EXPECT_TRUE(Parse("[[1]]", {2}));
  EXPECT_FALSE(Parse("[[[1]]]", {2}));
  EXPECT_TRUE(Parse("[[1],[1],{\"a\":1}]", {2})) << "beside each other is not inside each other";
  EXPECT_TRUE(Parse("1", {0}));
  EXPECT_FALSE(Parse("[]", {0}));
}

TEST(Write, KeepsTextAsItIs) {
  EXPECT_EQ(Write({{"a", "<&> \xc3\xa9 \xf0\x9f\x8c\x9e"}}),
            "{\"a\":\"<&> \xc3\xa9 \xf0\x9f\x8c\x9e\"}");
  EXPECT_EQ(Write("\"\\\n\x01"), R"("\"\\\n\u0001")");
  EXPECT_EQ(Write("a\xff"), "\"a\xef\xbf\xbd\"") << "what is not UTF-8 is replaced";
  EXPECT_EQ(Write(Value({1, 2})), "[1,2]");
  EXPECT_EQ(WriteIndented({{"a", 1}}), "{\n  \"a\": 1\n}");
}

TEST(Write, ReadsBack) {
  const Value value = {
      {"n", 18446744073709551615U}, {"i", -5}, {"d", 0.1}, {"t", true}, {"x", nullptr},
      {"s", std::string("a\0b", 3)}};
  const Parsed parsed = Parse(Write(value));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed, value);
}

TEST(RemoveNul, TakesItOutOfStringsAndNames) {
  Value value = *Parse(R"({"a\u0000b":["x\u0000",{"\u0000":"\u0000\u0000"}],"plain":1})");
  RemoveNul(value);
  EXPECT_EQ(Write(value), R"({"ab":["x",{"":""}],"plain":1})");
  Value text = std::string("\0a\0", 3);
  RemoveNul(text);
  EXPECT_EQ(text, "a");
}

TEST(RemoveNul, TwoNamesThatBecomeOneAreOne) {
  Value value = *Parse(R"({"a":1,"a\u0000":2})");
  RemoveNul(value);
  EXPECT_EQ(value.size(), 1U);
  EXPECT_TRUE(value.contains("a"));
}

}  // namespace
}  // namespace heliograph::json
