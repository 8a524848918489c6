#include "ingest/canary.h"

#include <gtest/gtest.h>

namespace heliograph::ingest {
namespace {

using std::chrono::seconds;

const base::SteadyTime kStart{std::chrono::hours(1)};

TEST(Canary, IsSentOnlyOverASubscription) {
  Canary canary("@ingest", "p1");
  EXPECT_EQ(canary.Due(kStart), std::nullopt);
  EXPECT_NE(canary.problem(kStart), "");
  canary.Begin("c1");
  EXPECT_TRUE(canary.Due(kStart).has_value());
  EXPECT_EQ(canary.Due(kStart), std::nullopt) << "not twice at once";
  canary.End();
  EXPECT_EQ(canary.Due(kStart + seconds(60)), std::nullopt);
}

TEST(Canary, TellsAnotherProcessOfTheSameSession) {
  Canary canary("@ingest", "p1");
  canary.Begin("c1");
  const auto payload = canary.Due(kStart);
  Canary other("@ingest", "p2");
  EXPECT_TRUE(other.IsOfAnotherProcess(*payload));
  EXPECT_TRUE(other.IsOfAnotherProcess(canary.Farewell()));
  EXPECT_FALSE(canary.IsOfAnotherProcess(*payload));
  EXPECT_FALSE(canary.IsOfAnotherProcess(canary.Farewell()));
  EXPECT_FALSE(Canary("@ingest-2", "p3").IsOfAnotherProcess(*payload)) << "its own session";
  EXPECT_TRUE(canary.End());
  EXPECT_FALSE(canary.End()) << "it has ended already";
}

TEST(Canary, ProvesTheSubscriptionWhenItComesBack) {
  Canary canary("@ingest", "p1");
  canary.Begin("c1");
  EXPECT_NE(canary.problem(kStart), "") << "a SUBACK proves nothing";
  const auto payload = canary.Due(kStart);
  EXPECT_TRUE(canary.Came(*payload, kStart)) << "the first sign of life";
  EXPECT_EQ(canary.problem(kStart), "");
  EXPECT_FALSE(canary.Came(*payload, kStart));
}

TEST(Canary, OfAnotherConnectionProvesNothing) {
  Canary canary("@ingest", "p1");
  canary.Begin("c2");
  EXPECT_FALSE(canary.Came("@ingest/p1/c1:1", kStart));
  EXPECT_FALSE(canary.Came("@ingest/p1/c22:1", kStart));
  EXPECT_FALSE(canary.Came("", kStart));
  EXPECT_NE(canary.problem(kStart), "");
}

TEST(Canary, ADevicesMessageIsAsGood) {
  Canary canary("@ingest", "p1");
  canary.Begin("c1");
  EXPECT_TRUE(canary.MessageCame(kStart));
  EXPECT_FALSE(canary.MessageCame(kStart));
  EXPECT_EQ(canary.problem(kStart), "");
}

TEST(Canary, IsMissedAfterAWhile) {
  Canary canary("@ingest", "p1");
  canary.Begin("c1");
  canary.MessageCame(kStart);
  EXPECT_EQ(canary.problem(kStart + seconds(12)), "");
  EXPECT_NE(canary.problem(kStart + seconds(13)), "");
}

TEST(Canary, IsExcusedWhileNothingIsRead) {
  Canary canary("@ingest", "p1");
  canary.Begin("c1");
  canary.Excuse(kStart);
  EXPECT_NE(canary.problem(kStart), "") << "an excuse is no proof";
  canary.MessageCame(kStart);
  canary.Excuse(kStart + seconds(30));
  EXPECT_EQ(canary.problem(kStart + seconds(31)), "");
}

TEST(Canary, IsSentAgainAndAgain) {
  Canary canary("@ingest", "p1");
  canary.Begin("c1");
  const auto first = canary.Due(kStart);
  const auto second = canary.Due(kStart + seconds(1));
  ASSERT_TRUE(second.has_value()) << "soon while the first has not come back";
  EXPECT_NE(*first, *second);
  canary.Came(*second, kStart + seconds(1));
  ASSERT_TRUE(canary.Due(kStart + seconds(2)).has_value());
  EXPECT_EQ(canary.Due(kStart + seconds(6)), std::nullopt) << "then only as a sign of life";
  EXPECT_TRUE(canary.Due(kStart + seconds(7)).has_value());
}

}  // namespace
}  // namespace heliograph::ingest
