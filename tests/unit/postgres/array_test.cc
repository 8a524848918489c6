#include "postgres/array.h"

#include <gtest/gtest.h>

namespace heliograph::postgres {
namespace {

using namespace std::string_literals;

TEST(Array, IsWhatArrayRecvReads) {
  TextArray names;
  names.Add(std::string_view("ab"));
  names.Add(std::string_view(""));
  EXPECT_EQ(names.size(), 2U);
  EXPECT_EQ(names.Binary(),
            "\0\0\0\1"    // one dimension
            "\0\0\0\0"    // no NULLs
            "\0\0\0\x19"  // of text
            "\0\0\0\2"    // two elements
            "\0\0\0\1"    // counted from 1
            "\0\0\0\2"
            "ab"
            "\0\0\0\0"s);
}

TEST(Array, NullsAreMarkedAndHaveLengthMinusOne) {
  Int64Array numbers;
  numbers.Add(-2);
  numbers.AddNull();
  EXPECT_EQ(numbers.Binary(),
            "\0\0\0\1\0\0\0\1\0\0\0\x14\0\0\0\2\0\0\0\1"
            "\0\0\0\x08\xff\xff\xff\xff\xff\xff\xff\xfe"
            "\xff\xff\xff\xff"s);
}

TEST(Array, TimesCountFromTheYear2000) {
  using namespace std::chrono;
  TimestampArray times;
  times.Add(base::Timestamp(sys_days{year{2000} / January / 1} + microseconds(258)));
  EXPECT_EQ(times.Binary().substr(20), "\0\0\0\x08\0\0\0\0\0\0\1\2"s);
}

TEST(Array, JsonHasItsVersionByte) {
  JsonArray values;
  values.Add("{}");
  EXPECT_EQ(values.Binary().substr(20), "\0\0\0\3\1{}"s);
}

TEST(Array, ClearedIsAsNew) {
  BoolArray flags;
  const std::string empty(flags.Binary());
  flags.Add(true);
  flags.AddNull();
  flags.Clear();
  EXPECT_EQ(flags.Binary(), empty);
  EXPECT_EQ(flags.size(), 0U);
}

}  // namespace
}  // namespace heliograph::postgres
