#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace heliograph::base {
namespace {

Result<int> Half(int number) {
  if (number % 2 != 0) return MakeError(ErrorCode::kInvalidArgument, "odd");
  return number / 2;
}

Status Check(bool ok) {
  if (!ok) return MakeError(ErrorCode::kConflict, "no");
  return {};
}

TEST(Result, IsAValueOrAnError) {
  const auto good = Half(4);
  ASSERT_TRUE(good);
  EXPECT_TRUE(good.has_value());
  EXPECT_EQ(*good, 2);
  const auto bad = Half(3);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(bad.error().message, "odd");
}

TEST(Result, HoldsWhatCanOnlyBeMoved) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(7));
  const std::unique_ptr<int> taken = *std::move(result);
  EXPECT_EQ(*taken, 7);
}

TEST(Result, ReachesMembers) {
  Result<std::string> result(std::string("abc"));
  EXPECT_EQ(result->size(), 3U);
  result->push_back('d');
  EXPECT_EQ(result.value(), "abcd");
}

TEST(Status, IsSuccessOrAnError) {
  EXPECT_TRUE(Check(true));
  const Status bad = Check(false);
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error().code, ErrorCode::kConflict);
  EXPECT_EQ(Check(false).error().message, "no");
}

}  // namespace
}  // namespace heliograph::base
