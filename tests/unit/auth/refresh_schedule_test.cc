#include "auth/refresh_schedule.h"

#include <gtest/gtest.h>

namespace heliograph::auth {
namespace {

using std::chrono::seconds;

constexpr base::SteadyTime kBegin{std::chrono::hours(1)};

TEST(RefreshSchedule, BeginsAtOnce) {
  const RefreshSchedule schedule(seconds(300), seconds(10));
  EXPECT_TRUE(schedule.IsDue(kBegin));
  EXPECT_TRUE(schedule.MayAsk(kBegin));
  EXPECT_FALSE(schedule.succeeded());
}

TEST(RefreshSchedule, IsNeverHurried) {
  for (const bool succeeded : {true, false}) {
    RefreshSchedule schedule(seconds(300), seconds(10));
    schedule.Ended(kBegin, succeeded);
    EXPECT_FALSE(schedule.MayAsk(kBegin + seconds(9)));
    EXPECT_FALSE(schedule.IsDue(kBegin + seconds(9)));
    EXPECT_TRUE(schedule.MayAsk(kBegin + seconds(10)));
  }
}

TEST(RefreshSchedule, TriesAgainSoonerAfterAFailure) {
  RefreshSchedule schedule(seconds(300), seconds(10));
  schedule.Ended(kBegin, true);
  EXPECT_FALSE(schedule.IsDue(kBegin + seconds(299)));
  EXPECT_TRUE(schedule.IsDue(kBegin + seconds(300)));
  schedule.Ended(kBegin + seconds(300), false);
  EXPECT_TRUE(schedule.IsDue(kBegin + seconds(310)));
  EXPECT_FALSE(schedule.succeeded());
}

}  // namespace
}  // namespace heliograph::auth
