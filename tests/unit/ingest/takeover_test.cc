#include "ingest/takeover.h"

#include <gtest/gtest.h>

namespace heliograph::ingest {
namespace {

using std::chrono::seconds;

const base::SteadyTime kStart{std::chrono::hours(1)};

TEST(Takeover, IsThreeShortLivesInARow) {
  Takeover takeover(seconds(30));
  takeover.Heard();
  for (int i = 0; i < 2; ++i) {
    takeover.Accepted(kStart);
    EXPECT_FALSE(takeover.Ended(kStart + seconds(1))) << "once may be chance";
  }
  takeover.Accepted(kStart);
  EXPECT_TRUE(takeover.Ended(kStart + seconds(1)));
  EXPECT_TRUE(takeover.suspected());
}

TEST(Takeover, IsNotAnOutageNowAndThen) {
  Takeover takeover(seconds(30));
  for (int i = 0; i < 20; ++i) {
    takeover.Accepted(kStart);
    takeover.Heard();
    EXPECT_FALSE(takeover.Ended(kStart + seconds(i % 2 == 0 ? 1 : 10)));
  }
}

TEST(Takeover, IsNotAConnectionThatIsTornAgainAndAgain) {
  Takeover takeover(seconds(30));
  for (int i = 0; i < 20; ++i) {
    takeover.Accepted(kStart);
    EXPECT_FALSE(takeover.Ended(kStart + seconds(1))) << "nobody else was heard";
  }
}

TEST(Takeover, WhoWasHeardLongAgoDoesNotCount) {
  Takeover takeover(seconds(30));
  takeover.Accepted(kStart);
  takeover.Heard();
  EXPECT_FALSE(takeover.Ended(kStart + seconds(10)));
  for (int i = 0; i < 5; ++i) {
    takeover.Accepted(kStart);
    EXPECT_FALSE(takeover.Ended(kStart + seconds(1)));
  }
}

TEST(Takeover, OnceSuspectedOneMoreIsEnough) {
  Takeover takeover(seconds(30));
  for (int i = 0; i < 3; ++i) {
    takeover.Accepted(kStart);
    takeover.Heard();
    takeover.Ended(kStart);
  }
  takeover.Accepted(kStart + seconds(40));
  takeover.Heard();
  EXPECT_TRUE(takeover.Ended(kStart + seconds(41)));
}

TEST(Takeover, IsForgottenWhenAConnectionLasts) {
  Takeover takeover(seconds(30));
  for (int i = 0; i < 3; ++i) {
    takeover.Accepted(kStart);
    takeover.Heard();
    takeover.Ended(kStart);
  }
  takeover.Accepted(kStart);
  takeover.StillConnected(kStart + seconds(19));
  EXPECT_TRUE(takeover.suspected());
  takeover.StillConnected(kStart + seconds(20));
  EXPECT_FALSE(takeover.suspected());
  takeover.Accepted(kStart);
  takeover.Heard();
  EXPECT_FALSE(takeover.Ended(kStart + seconds(1)));
}

TEST(Takeover, WaitsLong) {
  Takeover takeover(seconds(30));
  EXPECT_GE(takeover.Wait(), seconds(30)) << "never shorter than what is configured";
  for (int i = 0; i < 10; ++i) EXPECT_LE(takeover.Wait(), seconds(300));
}

}  // namespace
}  // namespace heliograph::ingest
