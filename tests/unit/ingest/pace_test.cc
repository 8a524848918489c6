#include "ingest/pace.h"

#include <gtest/gtest.h>

namespace heliograph::ingest {
namespace {

using std::chrono::milliseconds;

constexpr base::SteadyTime kStart{std::chrono::hours(1)};

// Whether it is busy after 100 ms with `messages` every `apart`.
bool BusyWith(int messages, milliseconds apart) {
  Pace pace;
  for (milliseconds at{0}; at < milliseconds(100); at += apart) pace.Came(messages, kStart + at);
  return pace.busy();
}

TEST(Pace, BusyOnlyWhereMessagesComeFast) {
  EXPECT_FALSE(Pace().busy()) << "nothing has come";
  EXPECT_FALSE(BusyWith(1, milliseconds(1))) << "1,000 a second";
  EXPECT_FALSE(BusyWith(10, milliseconds(1))) << "10,000 a second, in bursts of a millisecond";
  EXPECT_FALSE(BusyWith(50, milliseconds(5))) << "10,000 a second, in bursts of five";
  EXPECT_TRUE(BusyWith(30, milliseconds(1))) << "30,000 a second";
  EXPECT_TRUE(BusyWith(60, milliseconds(2))) << "30,000 a second, resting in between";
}

TEST(Pace, ABurstIsNoPace) {
  Pace pace;
  pace.Came(100, kStart);
  EXPECT_FALSE(pace.busy()) << "100 at once say nothing of what follows";
  pace.Came(0, kStart + milliseconds(8));
  EXPECT_FALSE(pace.busy()) << "and nothing has: 12 a millisecond";
}

TEST(Pace, ForgetsWithinTwoSpans) {
  Pace pace;
  for (int at = 0; at < 50; ++at) pace.Came(40, kStart + milliseconds(at));
  ASSERT_TRUE(pace.busy());
  pace.Came(1, kStart + milliseconds(60));
  pace.Came(1, kStart + milliseconds(70));
  EXPECT_FALSE(pace.busy()) << "the first message after silence ends at most one span of the past";
}

}  // namespace
}  // namespace heliograph::ingest
