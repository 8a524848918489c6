#include "ctl/watch.h"

#include <gtest/gtest.h>

namespace heliograph::ctl {
namespace {

TEST(ProgressOf, CountsWhatHasEnded) {
  const Progress progress = ProgressOf(*json::Parse(
      R"({"totals":{"queued":3,"running":2,"succeeded":12,"offline":1,"a new one":1}})"));
  EXPECT_EQ(progress.targets, 19);
  EXPECT_EQ(progress.ended, 13);
  EXPECT_EQ(progress.counts, "a new one 1, offline 1, queued 3, running 2, succeeded 12");
  for (const char* text : {"{}", "[]", "null", R"({"totals":7})", R"({"totals":{"queued":"x"}})"}) {
    EXPECT_EQ(ProgressOf(*json::Parse(text)).targets, 0) << text;
  }
}

TEST(ProgressLine, IsABarWithCountsAndPace) {
  EXPECT_EQ(ProgressLine({24, 12, "queued 12, succeeded 12"}, 6),
            "[###############---------------]  50 %  12 of 24 ended, 6.0/s  queued 12, succeeded "
            "12");
  EXPECT_EQ(ProgressLine({1000, 999, "queued 1"}, 812.4),
            "[#############################-]  99 %  999 of 1000 ended, 812/s  queued 1");
  EXPECT_EQ(ProgressLine({0, 0, ""}, -1), "[------------------------------]   0 %  0 of 0 ended  ");
}

TEST(ProgressLine, TellsWhyNothingGoesOnAndThePaceThatTheApiCounted) {
  const Progress progress = ProgressOf(*json::Parse(
      R"({"status":"paused","pace":{"ended_per_s":2.5},"totals":{"queued":1,"succeeded":1}})"));
  EXPECT_EQ(ProgressLine(progress, -1),
            "[###############---------------]  50 %  paused  1 of 2 ended, 2.5/s  queued 1, "
            "succeeded 1");
  EXPECT_EQ(ProgressOf(*json::Parse(R"({"status":"running","pace":7})")).status, "");
}

}  // namespace
}  // namespace heliograph::ctl
