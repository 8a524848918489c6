#include "postgres/rows.h"

#include <libpq-fe.h>

#include <charconv>

#include "base/rfc3339.h"

namespace heliograph::postgres {
namespace {

std::int64_t ToInt64(std::string_view text) noexcept {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

void FreeResult(pg_result* result) noexcept { ::PQclear(result); }

int Rows::size() const noexcept { return ::PQntuples(result_.get()); }

std::int64_t Rows::affected() const noexcept { return ToInt64(::PQcmdTuples(result_.get())); }

std::string_view Rows::command() const noexcept { return ::PQcmdStatus(result_.get()); }

bool Rows::failed() const noexcept {
  const ExecStatusType status = ::PQresultStatus(result_.get());
  return status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY;
}

bool Rows::IsNull(int row, int column) const noexcept {
  return ::PQgetisnull(result_.get(), row, column) != 0;
}

std::string_view Rows::Get(int row, int column) const noexcept {
  return {::PQgetvalue(result_.get(), row, column),
          static_cast<std::size_t>(::PQgetlength(result_.get(), row, column))};
}

std::optional<std::string> Rows::GetOptional(int row, int column) const {
  if (IsNull(row, column)) return std::nullopt;
  return std::string(Get(row, column));
}

std::string Rows::GetJson(int row, int column) const {
  return IsNull(row, column) ? "null" : std::string(Get(row, column));
}

std::int64_t Rows::GetInt64(int row, int column) const noexcept {
  return ToInt64(Get(row, column));
}

bool Rows::GetBool(int row, int column) const noexcept { return Get(row, column) == "t"; }

base::Timestamp Rows::GetTimestamp(int row, int column) const noexcept {
  // Every session has DateStyle ISO and TimeZone UTC: "2026-11-21 02:29:54.123456+00".
  const std::string_view text = Get(row, column);
  if (text.size() < 3 || text.size() > 60) return {};
  const auto parsed = base::ParseRfc3339(std::string(text.substr(0, text.size() - 3)) + "Z");
  return parsed ? *parsed : base::Timestamp{};
}

std::optional<base::Timestamp> Rows::GetOptionalTimestamp(int row, int column) const noexcept {
  if (IsNull(row, column)) return std::nullopt;
  return GetTimestamp(row, column);
}

}  // namespace heliograph::postgres
