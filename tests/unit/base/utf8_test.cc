#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace heliograph::base {
namespace {

TEST(Utf8, KnowsHowFarATextIsValid) {
  struct Row {
    std::string text;
    std::size_t valid;
    const char* reason;
  };
  const Row table[] = {
      {"", 0, "nothing is valid"},
      {"abc\x7f\x01", 5, "ASCII, control characters too"},
      {std::string("a\0b", 3), 3, "U+0000 is a character"},
      {"\xc2\x80\xdf\xbf", 4, "the first and the last of two bytes"},
      {"\xe0\xa0\x80\xef\xbf\xbf", 6, "of three"},
      {"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8, "of four"},
      {"\xed\x9f\xbf\xee\x80\x80", 6, "around the surrogates"},
      {"a\x80", 1, "a continuation first"},
      {"a\xc0\x80", 1, "overlong NUL"},
      {"a\xc1\xbf", 1, "overlong"},
      {"a\xe0\x9f\xbf", 1, "overlong"},
      {"a\xf0\x8f\xbf\xbf", 1, "overlong"},
      {"a\xed\xa0\x80", 1, "a surrogate"},
      {"a\xf4\x90\x80\x80", 1, "beyond U+10FFFF"},
      {"a\xf5\x80\x80\x80", 1, "no such beginning"},
      {"a\xff", 1, "no such beginning"},
      {"a\xc3", 1, "cut short"},
      {"a\xe2\x82", 1, "cut short"},
      {"a\xf0\x9f\x8c", 1, "cut short"},
      {"a\xe2\x28\xa1", 1, "no continuation"},
      {"\xc3\xa9\xc3", 2, "after something valid"},
  };
  for (const Row& row : table) {
    EXPECT_EQ(ValidUtf8Prefix(row.text), row.valid) << row.reason;
    EXPECT_EQ(IsUtf8(row.text), row.valid == row.text.size()) << row.reason;
  }
}

}  // namespace
}  // namespace heliograph::base
