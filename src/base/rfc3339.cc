#include "base/rfc3339.h"

#include <charconv>
#include <cstdio>
#include <optional>

namespace heliograph::base {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

Error Malformed(std::string_view text, const char* why) {
  return MakeError(ErrorCode::kInvalidArgument,
                   "'" + std::string(text.substr(0, 40)) + "' is not an RFC 3339 time: " + why);
}

// Reads exactly `width` digits off the front.
std::optional<int> TakeDigits(std::string_view& text, std::size_t width) {
  if (text.size() < width) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < width; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(width);
  return value;
}

bool TakeChar(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::chrono::year_month_day> TakeDate(std::string_view& text) {
  const auto year = TakeDigits(text, 4);
  if (!year || !TakeChar(text, "-")) return std::nullopt;
  const auto month = TakeDigits(text, 2);
  if (!month || !TakeChar(text, "-")) return std::nullopt;
  const auto day = TakeDigits(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  return date;
}

std::optional<seconds> TakeTimeOfDay(std::string_view& text) {
  const auto hour = TakeDigits(text, 2);
  if (!hour || *hour > 23 || !TakeChar(text, ":")) return std::nullopt;
  const auto minute = TakeDigits(text, 2);
  if (!minute || *minute > 59 || !TakeChar(text, ":")) return std::nullopt;
  const auto second = TakeDigits(text, 2);
  if (!second || *second > 60) return std::nullopt;
  return hours{*hour} + minutes{*minute} + seconds{*second};
}

std::optional<microseconds> TakeFraction(std::string_view& text) {
  if (!TakeChar(text, ".")) return microseconds{0};
  long value = 0;
  int digits = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1)) {
    if (digits < 6) value = value * 10 + (text.front() - '0');
    ++digits;
  }
  if (digits == 0) return std::nullopt;
  for (; digits < 6; ++digits) value *= 10;
  return microseconds{value};
}

std::optional<minutes> TakeOffset(std::string_view& text) {
  if (TakeChar(text, "Zz")) return minutes{0};
  const bool negative = !text.empty() && text.front() == '-';
  if (!TakeChar(text, "+-")) return std::nullopt;
  const auto hour = TakeDigits(text, 2);
  if (!hour || *hour > 23 || !TakeChar(text, ":")) return std::nullopt;
  const auto minute = TakeDigits(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  const minutes offset = hours{*hour} + minutes{*minute};
  return negative ? -offset : offset;
}

}  // namespace

std::string FormatRfc3339(Timestamp time) {
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  char text[48];
  const int length = std::snprintf(
      text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return std::string(text, static_cast<std::size_t>(length));
}

Result<Timestamp> ParseRfc3339(std::string_view text) {
  std::string_view rest = text;
  const auto date = TakeDate(rest);
  if (!date) return Malformed(text, "it does not begin with a date YYYY-MM-DD");
  if (!TakeChar(rest, "Tt ")) return Malformed(text, "no T after the date");
  const auto time_of_day = TakeTimeOfDay(rest);
  if (!time_of_day) return Malformed(text, "the time of day is not HH:MM:SS");
  const auto fraction = TakeFraction(rest);
  if (!fraction) return Malformed(text, "no digit after the decimal point");
  const auto offset = TakeOffset(rest);
  if (!offset) return Malformed(text, "no offset (Z or +HH:MM)");
  if (!rest.empty()) return Malformed(text, "something follows the offset");
  return Timestamp{std::chrono::sys_days{*date} + *time_of_day - *offset + *fraction};
}

}  // namespace heliograph::base
