#include "base/backoff.h"

#include <gtest/gtest.h>

#include <set>

namespace heliograph::base {
namespace {

using std::chrono::milliseconds;

TEST(Backoff, StaysWithinItsBounds) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    Backoff backoff(milliseconds(100), milliseconds(5000), seed);
    milliseconds ceiling(100);
    for (int n = 0; n < 20; ++n) {
      const milliseconds wait = backoff.Next();
      EXPECT_GE(wait, milliseconds(100));
      EXPECT_LE(wait, ceiling) << "the " << n << ". wait";
      ceiling = std::min(milliseconds(5000), ceiling * 2);
    }
  }
}

TEST(Backoff, ReachesTheLongestAndIsSpread) {
  Backoff backoff(milliseconds(10), milliseconds(1000), 7);
  for (int n = 0; n < 10; ++n) std::ignore = backoff.Next();
  std::set<milliseconds::rep> seen;
  milliseconds longest(0);
  for (int n = 0; n < 1000; ++n) {
    const milliseconds wait = backoff.Next();
    seen.insert(wait.count());
    longest = std::max(longest, wait);
  }
  EXPECT_GT(seen.size(), 300U) << "full jitter: a fleet does not come back in step";
  EXPECT_GT(longest, milliseconds(950));
}

TEST(Backoff, BeginsAgainAfterASuccess) {
  Backoff backoff(milliseconds(10), milliseconds(10000), 3);
  for (int n = 0; n < 20; ++n) std::ignore = backoff.Next();
  backoff.Reset();
  EXPECT_EQ(backoff.Next(), milliseconds(10));
}

TEST(Backoff, ALongestBelowTheFirstIsTheFirst) {
  Backoff backoff(milliseconds(50), milliseconds(10), 3);
  for (int n = 0; n < 5; ++n) EXPECT_EQ(backoff.Next(), milliseconds(50));
}

}  // namespace
}  // namespace heliograph::base
