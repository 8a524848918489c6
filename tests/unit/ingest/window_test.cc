#include "ingest/window.h"

#include <gtest/gtest.h>

namespace heliograph::ingest {
namespace {

using std::chrono::milliseconds;

constexpr WindowLimits kLimits = {.max_messages = 3,
                                  .max_bytes = 1000,
                                  .max_age = milliseconds(100),
                                  .confirm = milliseconds(500)};
const base::SteadyTime kStart{std::chrono::hours(1)};

TEST(Window, MayWriteOnlyWhileNothingIsUnconfirmed) {
  Window window(kLimits);
  EXPECT_TRUE(window.MayWrite()) << "CONNECT and SUBSCRIBE leave before any message came";
  window.Hold(10, kStart);
  window.Sent();
  EXPECT_FALSE(window.MayWrite());
  window.Hold(10, kStart);
  window.Sent();
  window.Reported(true);
  EXPECT_FALSE(window.MayWrite()) << "one of two";
  window.Reported(true);
  EXPECT_TRUE(window.MayWrite());
}

TEST(Window, NeverWritesAfterAFailure) {
  Window window(kLimits);
  for (int i = 0; i < 3; ++i) {
    window.Hold(10, kStart);
    window.Sent();
  }
  window.Reported(true);
  window.Reported(false);
  EXPECT_FALSE(window.MayWrite());
  window.Reported(true);
  EXPECT_FALSE(window.MayWrite()) << "all reported, but one failed";
  window.Reset();
  EXPECT_TRUE(window.MayWrite()) << "after a new connection";
  EXPECT_EQ(window.held(), 0U);
}

TEST(Window, NeverWritesWhenAMessageCouldNotBeSent) {
  Window window(kLimits);
  window.Hold(10, kStart);
  window.Fail();
  EXPECT_FALSE(window.MayWrite());
}

TEST(Window, ClosesByTheFirstLimit) {
  struct Case {
    const char* why;
    int messages;
    std::size_t bytes_each;
    milliseconds later;
    std::optional<WindowEnd> end;
  };
  const Case cases[] = {
      {"an empty window has no age", 0, 0, milliseconds(9999), std::nullopt},
      {"below all limits", 2, 100, milliseconds(99), std::nullopt},
      {"by count", 3, 1, milliseconds(0), WindowEnd::kMessages},
      {"by bytes", 2, 500, milliseconds(0), WindowEnd::kBytes},
      {"one message may be larger than the window", 1, 5000, milliseconds(0), WindowEnd::kBytes},
      {"by age", 1, 1, milliseconds(100), WindowEnd::kAge},
      {"count comes before age", 3, 1, milliseconds(100), WindowEnd::kMessages},
  };
  for (const Case& test : cases) {
    Window window(kLimits);
    for (int i = 0; i < test.messages; ++i) window.Hold(test.bytes_each, kStart);
    EXPECT_EQ(window.ShouldClose(kStart + test.later), test.end) << test.why;
  }
}

TEST(Window, AgeCountsFromTheFirstMessage) {
  Window window(kLimits);
  window.Hold(1, kStart);
  window.Hold(1, kStart + milliseconds(60));
  EXPECT_EQ(window.Age(kStart + milliseconds(70)), milliseconds(70));
  window.Reset();
  EXPECT_EQ(window.Age(kStart + milliseconds(70)), milliseconds(0));
  window.Hold(1, kStart + milliseconds(500));
  EXPECT_EQ(window.ShouldClose(kStart + milliseconds(599)), std::nullopt) << "of the new window";
}

TEST(Window, IsOverdueOnlyWhenClosedAndUnconfirmed) {
  Window window(kLimits);
  window.Hold(1, kStart);
  window.Sent();
  EXPECT_FALSE(window.Overdue(kStart + milliseconds(10'000))) << "still open";
  window.Close(kStart);
  window.Close(kStart + milliseconds(400));  // again: the first time counts
  EXPECT_FALSE(window.Overdue(kStart + milliseconds(499)));
  EXPECT_TRUE(window.Overdue(kStart + milliseconds(500)));
  window.Reported(true);
  EXPECT_FALSE(window.Overdue(kStart + milliseconds(10'000)))
      << "a slow socket is not Kafka's fault";
}

TEST(Window, ALostProducerLeavesAFailedWindow) {
  Window window(kLimits);
  window.Hold(1, kStart);
  window.Sent();
  window.Abandon();
  EXPECT_EQ(window.outstanding(), 0U);
  EXPECT_FALSE(window.MayWrite());
  window.Reset();
  window.Abandon();
  EXPECT_TRUE(window.MayWrite()) << "nothing was lost";
}

TEST(WindowDeathTest, EndsTheProcessRatherThanLoseCount) {
  Window window(kLimits);
  EXPECT_DEATH(window.Reported(true), "not outstanding");
  window.Hold(1, kStart);
  window.Sent();
  EXPECT_DEATH(window.Reset(), "had not reported on all");
}

}  // namespace
}  // namespace heliograph::ingest
