#include "owner/patience.h"

#include <gtest/gtest.h>

namespace heliograph::owner {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr base::SteadyTime kBegin{std::chrono::hours(1)};

TEST(Patience, IsATenthOfTheTime) {
  Patience patience(milliseconds(200));
  EXPECT_EQ(patience.Left(kBegin), milliseconds(200)) << "the first time all of it";
  patience.Spend(milliseconds(150));
  EXPECT_EQ(patience.Left(kBegin), milliseconds(50));
  patience.Spend(milliseconds(80));
  EXPECT_EQ(patience.Left(kBegin), milliseconds(0)) << "an end that came late";
  EXPECT_EQ(patience.Left(kBegin + seconds(1)), milliseconds(100));
  EXPECT_EQ(patience.Left(kBegin + seconds(1)), milliseconds(100)) << "time counts once";
  EXPECT_EQ(patience.Left(kBegin + seconds(60)), milliseconds(200)) << "and no more than that";
}

TEST(Patience, WhoeverWaitsAllTheTimeWaitsATenthOfIt) {
  Patience patience(milliseconds(200));
  auto now = kBegin;
  std::chrono::nanoseconds waited{};
  while (now < kBegin + seconds(100)) {
    const auto left = patience.Left(now);
    patience.Spend(left);
    waited += left;
    now += left + milliseconds(10);  // a batch
  }
  EXPECT_LT(waited, seconds(11));
  EXPECT_GT(waited, seconds(9));
}

TEST(Patience, OfNothingIsNone) {
  Patience patience(milliseconds(0));
  EXPECT_EQ(patience.Left(kBegin + seconds(1)), milliseconds(0));
}

}  // namespace
}  // namespace heliograph::owner
