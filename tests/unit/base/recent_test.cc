#include "base/recent.h"

#include <gtest/gtest.h>

#include <string>

namespace heliograph::base {
namespace {

using Cache = Recent<std::string, int, int>;

TEST(Recent, KnowsUntilThen) {
  Cache cache(10);
  cache.Put("a", 1, 5);
  EXPECT_EQ(cache.Find("a", 4), 1);
  EXPECT_EQ(cache.Find("b", 4), std::nullopt);
  EXPECT_EQ(cache.Find("a", 5), std::nullopt);
  EXPECT_EQ(cache.size(), 0U) << "what is no longer good takes no room";
}

TEST(Recent, TakesTheNewerAnswer) {
  Cache cache(10);
  cache.Put("a", 1, 5);
  cache.Put("a", 2, 9);
  EXPECT_EQ(cache.Find("a", 8), 2);
  EXPECT_EQ(cache.size(), 1U);
}

TEST(Recent, ForgetsTheLongestUnused) {
  Cache cache(2);
  cache.Put("a", 1, 9);
  cache.Put("b", 2, 9);
  EXPECT_EQ(cache.Find("a", 0), 1);
  cache.Put("c", 3, 9);
  EXPECT_EQ(cache.size(), 2U);
  EXPECT_EQ(cache.Find("b", 0), std::nullopt);
  EXPECT_EQ(cache.Find("a", 0), 1);
  EXPECT_EQ(cache.Find("c", 0), 3);
}

}  // namespace
}  // namespace heliograph::base
