#include "postgres/sqlstate.h"

#include <gtest/gtest.h>

namespace heliograph::postgres {
namespace {

using base::ErrorCode;

TEST(CodeOf, SaysWhatACallerMayDo) {
  struct Case {
    const char* sqlstate;
    ErrorCode code;
    const char* why;
  };
  const Case cases[] = {
      {"", ErrorCode::kUnavailable, "the session was lost"},
      {"08006", ErrorCode::kUnavailable, "connection failure"},
      {"57P01", ErrorCode::kUnavailable, "the server is shut down"},
      {"57P03", ErrorCode::kUnavailable, "the server is starting"},
      {"53300", ErrorCode::kUnavailable, "too many connections"},
      {"53100", ErrorCode::kUnavailable, "the disk is full"},
      {"40P01", ErrorCode::kUnavailable, "a deadlock's victim"},
      {"40001", ErrorCode::kUnavailable, "serialization failure"},
      {"55P03", ErrorCode::kUnavailable, "lock_timeout"},
      {"25006", ErrorCode::kUnavailable, "the server is read-only"},
      {"25P03", ErrorCode::kUnavailable, "idle_in_transaction_session_timeout"},
      {"42P01", ErrorCode::kUnavailable, "not migrated yet"},
      {"57014", ErrorCode::kDeadlineExceeded, "statement_timeout"},
      {"23505", ErrorCode::kAlreadyExists, "unique violation"},
      {"23514", ErrorCode::kInvalidArgument, "check violation"},
      {"22021", ErrorCode::kInvalidArgument, "a byte sequence that is not UTF-8"},
      {"22P02", ErrorCode::kInvalidArgument, "a text that is not of the type"},
      {"54000", ErrorCode::kTooLarge, "an index row that is too large"},
      {"42501", ErrorCode::kPermissionDenied, "no right to the table"},
      {"42601", ErrorCode::kInternal, "our SQL is wrong"},
  };
  for (const Case& one : cases) EXPECT_EQ(CodeOf(one.sqlstate), one.code) << one.why;
}

}  // namespace
}  // namespace heliograph::postgres
