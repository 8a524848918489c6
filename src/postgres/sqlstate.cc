#include "postgres/sqlstate.h"

#include <cstdint>

namespace heliograph::postgres {
namespace {

using base::ErrorCode;

// A class ("22") or a code ("40P01") as a number, so that a switch can tell them apart.
constexpr std::uint64_t Pack(std::string_view text) {
  std::uint64_t packed = 0;
  for (const char c : text) packed = packed << 8U | static_cast<unsigned char>(c);
  return packed;
}

ErrorCode CodeOfClass(std::string_view sqlstate) {
  switch (Pack(sqlstate.substr(0, 2))) {
    case Pack("08"):  // connection exception
    case Pack("53"):  // out of connections, memory or disk
    case Pack("57"):  // shut down, cancelled by an operator
    case Pack("58"):  // an error of the system below: I/O
    case Pack("40"):  // rolled back: serialization, deadlock
    case Pack("55"):  // an object is in use; a lock was not available in time
      return ErrorCode::kUnavailable;
    case Pack("22"):  // data exception: a value that no column takes
    case Pack("23"):  // an integrity constraint
      return ErrorCode::kInvalidArgument;
    case Pack("54"):  // over a limit of the program: an index row that is too large
      return ErrorCode::kTooLarge;
  }
  return ErrorCode::kInternal;
}

}  // namespace

base::ErrorCode CodeOf(std::string_view sqlstate) noexcept {
  if (sqlstate.size() != 5) return ErrorCode::kUnavailable;
  switch (Pack(sqlstate)) {
    case Pack("23505"):  // unique_violation
    case Pack("42P06"):  // duplicate_schema
    case Pack("42P07"):  // duplicate_table
      return ErrorCode::kAlreadyExists;
    case Pack("57014"):  // query_canceled: statement_timeout
      return ErrorCode::kDeadlineExceeded;
    case Pack(
        "25006"):  // read_only_sql_transaction: a standby, or a server that was made read-only
    case Pack("25P03"):  // idle_in_transaction_session_timeout
    case Pack("26000"):  // a prepared statement that is gone: a pooler changed the session under us
    case Pack("28P01"):  // invalid_password: it may be in the middle of being changed
    case Pack("28000"):  // invalid_authorization_specification
    case Pack("3D000"):  // the database does not exist (yet)
      return ErrorCode::kUnavailable;
    case Pack("42501"):  // insufficient_privilege
      return ErrorCode::kPermissionDenied;
    case Pack("42P01"):  // undefined_table: not migrated (yet)
    case Pack("42703"):  // undefined_column: likewise
    case Pack("3F000"):  // no such schema
      return ErrorCode::kUnavailable;
  }
  return CodeOfClass(sqlstate);
}

}  // namespace heliograph::postgres
