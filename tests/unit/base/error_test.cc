#include "base/error.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace heliograph::base {
namespace {

TEST(ErrorCode, HasADistinctWordAndAnAnswerToRetrying) {
  struct Row {
    ErrorCode code;
    const char* word;
    bool retriable;
  };
  const Row table[] = {
      {ErrorCode::kInvalidArgument, "invalid_argument", false},
      {ErrorCode::kNotFound, "not_found", false},
      {ErrorCode::kAlreadyExists, "already_exists", false},
      {ErrorCode::kConflict, "conflict", false},
      {ErrorCode::kUnauthenticated, "unauthenticated", false},
      {ErrorCode::kPermissionDenied, "permission_denied", false},
      {ErrorCode::kTooLarge, "too_large", false},
      {ErrorCode::kUnavailable, "unavailable", true},
      {ErrorCode::kDeadlineExceeded, "deadline_exceeded", true},
      {ErrorCode::kCancelled, "cancelled", false},
      {ErrorCode::kInternal, "internal", false},
  };
  std::set<std::string> words;
  for (const Row& row : table) {
    EXPECT_EQ(ErrorCodeName(row.code), row.word);
    EXPECT_EQ(IsRetriable(row.code), row.retriable) << row.word;
    words.insert(row.word);
  }
  EXPECT_EQ(words.size(), std::size(table));
}

}  // namespace
}  // namespace heliograph::base
