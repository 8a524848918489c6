#include "base/rfc3339.h"

#include <gtest/gtest.h>

#include <string>

namespace heliograph::base {
namespace {

TEST(Rfc3339, ReadsWhatTheRfcAllows) {
  struct Row {
    const char* text;
    const char* utc;
    const char* reason;
  };
  const Row table[] = {
      {"2026-11-21T02:29:54Z", "2026-11-21T02:29:54.000000Z", "plain"},
      {"2026-11-21t02:29:54z", "2026-11-21T02:29:54.000000Z", "small letters (section 5.6)"},
      {"2026-11-21 02:29:54Z", "2026-11-21T02:29:54.000000Z", "a space (the note in section 5.6)"},
      {"1985-04-12T23:20:50.52Z", "1985-04-12T23:20:50.520000Z", "the RFC's own"},
      {"1996-12-19T16:39:57-08:00", "1996-12-20T00:39:57.000000Z", "the RFC's own"},
      {"1990-12-31T23:59:60Z", "1991-01-01T00:00:00.000000Z",
       "the RFC's own leap second is the second after it"},
      {"1990-12-31T15:59:60-08:00", "1991-01-01T00:00:00.000000Z", "the same elsewhere"},
      {"1937-01-01T12:00:27.87+00:20", "1937-01-01T11:40:27.870000Z", "the RFC's own, before 1970"},
      {"2026-11-21T02:29:54.1234567899999999999999Z", "2026-11-21T02:29:54.123456Z",
       "cut, not rounded"},
      {"2026-11-21T02:29:54.9999999Z", "2026-11-21T02:29:54.999999Z", "cut, not rounded"},
      {"2026-11-21T02:29:54.000001+23:59", "2026-11-20T02:30:54.000001Z", "the largest offset"},
      {"2026-11-21T02:29:54-00:00", "2026-11-21T02:29:54.000000Z", "an unknown local offset"},
      {"2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000Z", "a leap day"},
      {"2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000000Z", "a leap day"},
      {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z", "a clock that was never set"},
      {"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z", "the last there is"},
      {"0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000000Z", "year 0 is in the grammar"},
  };
  for (const Row& row : table) {
    SCOPED_TRACE(std::string(row.text) + ": " + row.reason);
    const auto time = ParseRfc3339(row.text);
    ASSERT_TRUE(time.has_value());
    EXPECT_EQ(FormatRfc3339(*time), row.utc);
  }
}

TEST(Rfc3339, RefusesTheRest) {
  for (const std::string& text :
       {std::string(""),
        std::string("now"),
        std::string("2026"),
        std::string("2026-11-21"),
        std::string("2026-11-21T02:29:54"),
        std::string("2026-11-21T02:29Z"),
        std::string("2026-11-21T02:29:54.Z"),
        std::string("2026-11-21T02:29:54,5Z"),
        std::string("2026-13-01T00:00:00Z"),
        std::string("2026-00-01T00:00:00Z"),
        std::string("2026-02-29T00:00:00Z"),
        std::string("1900-02-29T00:00:00Z"),
        std::string("2026-04-31T00:00:00Z"),
        std::string("2026-01-00T00:00:00Z"),
        std::string("2026-11-21T24:00:00Z"),
        std::string("2026-11-21T23:60:00Z"),
        std::string("2026-11-21T23:59:61Z"),
        std::string("2026-11-21T02:29:54+24:00"),
        std::string("2026-11-21T02:29:54+01:60"),
        std::string("2026-11-21T02:29:54+0100"),
        std::string("2026-11-21T02:29:54+1:00"),
        std::string("2026-11-21T02:29:54 Z"),
        std::string("2026-11-21T02:29:54Z "),
        std::string(" 2026-11-21T02:29:54Z"),
        std::string("2026-11-21T02:29:54ZZ"),
        std::string("20261121T022954Z"),
        std::string("+2026-11-21T02:29:54Z"),
        std::string("-001-11-21T02:29:54Z"),
        std::string("12026-11-21T02:29:54Z"),
        std::string("2026-1-21T02:29:54Z"),
        std::string("2026/11/21T02:29:54Z"),
        std::string("2026-11-21T02:29:54\0Z", 21),
        std::string("\xd9\xa2\xd9\xa0\xd9\xa2\xd9\xa6-11-21T02:29:54Z")}) {
    const auto time = ParseRfc3339(text);
    ASSERT_FALSE(time.has_value()) << text;
    EXPECT_EQ(time.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(Rfc3339, QuotesNoMoreThanABitOfALongText) {
  const auto time = ParseRfc3339(std::string(1000000, 'x'));
  ASSERT_FALSE(time.has_value());
  EXPECT_LT(time.error().message.size(), 200U);
}

TEST(Rfc3339, RoundTripsAllMicroseconds) {
  for (const std::int64_t microseconds :
       {-62135596800000000LL, -1LL, 0LL, 1LL, 999999LL, 1000000LL, 253402300799999999LL}) {
    const Timestamp time{std::chrono::microseconds(microseconds)};
    const auto read = ParseRfc3339(FormatRfc3339(time));
    ASSERT_TRUE(read.has_value()) << microseconds;
    EXPECT_EQ(*read, time);
  }
}

}  // namespace
}  // namespace heliograph::base
