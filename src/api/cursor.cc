#include "api/cursor.h"

#include <array>
#include <charconv>
#include <chrono>

#include "api/parameters.h"
#include "base/hex.h"

namespace heliograph::api {
namespace {

// Hexadecimal: it needs no escape in a URL, and nobody is tempted to write one.
using base::ToHex;

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::optional<std::string> FromHex(std::string_view text) {
  constexpr std::size_t kLongest = 1024;
  if (text.size() % 2 != 0 || text.size() > kLongest) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = HexValue(text[i]);
    const int low = HexValue(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

constexpr char kIntervals = 'i';
constexpr char kActions = 'a';
constexpr char kAudit = 'u';
constexpr char kDeadLetters = 'd';

// The next number of "1,2,3"; false: there is none.
bool ReadNumber(std::string_view& text, std::int64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (!text.empty() && text.front() == ',') text.remove_prefix(1);
  return true;
}

// What PostgreSQL keeps as a timestamp and this program as microseconds; beyond, a number was made
// up.
bool IsTime(std::int64_t microseconds) {
  constexpr std::int64_t kYear9999 = 253'402'300'800'000'000;
  return microseconds >= kFirstTime.time_since_epoch().count() && microseconds < kYear9999;
}

// A time, and a number that tells those of the same time apart.
std::string WriteNumbered(char kind, base::Timestamp at, std::int64_t number) {
  return ToHex(kind + std::to_string(at.time_since_epoch().count()) + "," + std::to_string(number));
}

std::optional<std::pair<base::Timestamp, std::int64_t>> ReadNumbered(char kind,
                                                                     std::string_view cursor) {
  const auto bytes = FromHex(cursor);
  if (!bytes || bytes->empty() || bytes->front() != kind) return std::nullopt;
  std::string_view rest = std::string_view(*bytes).substr(1);
  std::int64_t time = 0;
  std::int64_t number = 0;
  if (!ReadNumber(rest, time) || !IsTime(time) || !ReadNumber(rest, number) || !rest.empty()) {
    return std::nullopt;
  }
  return std::pair(base::Timestamp{std::chrono::microseconds(time)}, number);
}

}  // namespace

std::string WriteCursor(ListKind kind, const device::ClientId& last) {
  return ToHex(static_cast<char>(kind) + last.str());
}

std::optional<device::ClientId> ReadCursor(ListKind kind, std::string_view cursor) {
  const auto bytes = FromHex(cursor);
  if (!bytes || bytes->empty() || bytes->front() != static_cast<char>(kind)) return std::nullopt;
  auto id = device::ParseClientId(std::string_view(*bytes).substr(1));
  if (!id) return std::nullopt;
  return *std::move(id);
}

std::string WriteCursor(const postgres::ActionPlace& last) {
  return ToHex(kActions + std::to_string(last.created_at.time_since_epoch().count()) + "," +
               last.action_id.str());
}

std::optional<postgres::ActionPlace> ReadActionCursor(std::string_view cursor) {
  const auto bytes = FromHex(cursor);
  if (!bytes || bytes->empty() || bytes->front() != kActions) return std::nullopt;
  std::string_view rest = std::string_view(*bytes).substr(1);
  std::int64_t time = 0;
  if (!ReadNumber(rest, time) || !IsTime(time)) return std::nullopt;
  auto id = action::ParseActionId(rest);
  if (!id) return std::nullopt;
  return postgres::ActionPlace{base::Timestamp{std::chrono::microseconds(time)}, *std::move(id)};
}

std::string WriteCursor(const postgres::AuditPlace& last) {
  return WriteNumbered(kAudit, last.at, last.place);
}

std::optional<postgres::AuditPlace> ReadAuditCursor(std::string_view cursor) {
  const auto place = ReadNumbered(kAudit, cursor);
  if (!place) return std::nullopt;
  return postgres::AuditPlace{place->first, place->second};
}

std::string WriteCursor(const postgres::DeadLetterPlace& last) {
  return WriteNumbered(kDeadLetters, last.at, last.id);
}

std::optional<postgres::DeadLetterPlace> ReadDeadLetterCursor(std::string_view cursor) {
  const auto place = ReadNumbered(kDeadLetters, cursor);
  if (!place) return std::nullopt;
  return postgres::DeadLetterPlace{place->first, place->second};
}

std::string WriteCursor(const postgres::IntervalPlace& last) {
  return ToHex(kIntervals + std::to_string(last.online_from.time_since_epoch().count()) + "," +
               std::to_string(last.generation) + "," + std::to_string(last.opened_at.partition) +
               "," + std::to_string(last.opened_at.offset));
}

std::optional<postgres::IntervalPlace> ReadIntervalCursor(std::string_view cursor) {
  const auto bytes = FromHex(cursor);
  if (!bytes || bytes->empty() || bytes->front() != kIntervals) return std::nullopt;
  std::string_view rest = std::string_view(*bytes).substr(1);
  std::array<std::int64_t, 4> numbers{};
  for (std::int64_t& number : numbers) {
    if (!ReadNumber(rest, number)) return std::nullopt;
  }
  constexpr std::int64_t kMostInt32 = 0x7fffffff;
  const auto is_count = [](std::int64_t number) { return number >= 0 && number <= kMostInt32; };
  if (!rest.empty() || !IsTime(numbers[0]) || !is_count(numbers[1]) || !is_count(numbers[2])) {
    return std::nullopt;
  }
  postgres::IntervalPlace place;
  place.online_from = base::Timestamp{std::chrono::microseconds(numbers[0])};
  place.generation = numbers[1];
  place.opened_at = {static_cast<std::int32_t>(numbers[2]), numbers[3]};
  return place;
}

}  // namespace heliograph::api
