#include "ingest/acknowledgements.h"

#include <gtest/gtest.h>

#include <vector>

namespace heliograph::ingest {
namespace {

constexpr WindowLimits kLimits = {};
const base::SteadyTime kNow{};

// A socket that takes `room` acknowledgements at each call, from a queue of `queued`.
class ScriptedOutlet final : public Outlet {
 public:
  bool WantsWrite() const override { return queued > 0; }
  base::Status WritePending() override {
    ++calls;
    if (broken) return base::MakeError(base::ErrorCode::kUnavailable, "the connection was closed");
    const int part = std::min(room, queued);
    queued -= part;
    written += part;
    return {};  // also at EAGAIN, with the rest still queued
  }

  int queued = 0;
  int room = 1000;
  int written = 0;
  int calls = 0;
  bool broken = false;
};

TEST(Acknowledgements, LeaveInAsManyPartsAsTheSocketTakes) {
  struct Case {
    const char* why;
    int queued;
    int room;
    int calls_until_all;
  };
  const Case cases[] = {
      {"nothing is queued: nothing is written", 0, 10, 1},
      {"all at once", 10, 10, 1},
      {"one is left", 11, 10, 2},
      {"one at a time", 3, 1, 3},
      {"exactly two parts", 20, 10, 2},
  };
  for (const Case& test : cases) {
    const Window window(kLimits);
    ScriptedOutlet outlet;
    outlet.queued = test.queued;
    outlet.room = test.room;
    Acknowledgements acknowledgements(window, outlet);
    int calls = 0;
    for (;;) {
      const auto flushed = acknowledgements.Flush();
      ++calls;
      ASSERT_TRUE(flushed) << test.why;
      const bool all = *flushed == Acknowledgements::Flushed::kAll;
      EXPECT_EQ(acknowledgements.flushing(), !all)
          << test.why << ": nothing may be read before the rest is out";
      if (all) break;
      ASSERT_LT(calls, 100) << test.why;
    }
    EXPECT_EQ(calls, test.calls_until_all) << test.why;
    EXPECT_EQ(outlet.written, test.queued) << test.why;
  }
}

TEST(Acknowledgements, AFullSocketIsTriedAgainOnlyWhenAsked) {
  const Window window(kLimits);
  ScriptedOutlet outlet;
  outlet.queued = 5;
  outlet.room = 0;
  Acknowledgements acknowledgements(window, outlet);
  EXPECT_EQ(*acknowledgements.Flush(), Acknowledgements::Flushed::kPartly);
  EXPECT_EQ(outlet.calls, 1) << "it does not spin";
  outlet.room = 5;
  EXPECT_EQ(*acknowledgements.Flush(), Acknowledgements::Flushed::kAll);
}

TEST(Acknowledgements, ALostConnectionEndsTheFlush) {
  const Window window(kLimits);
  ScriptedOutlet outlet;
  outlet.queued = 5;
  outlet.broken = true;
  Acknowledgements acknowledgements(window, outlet);
  EXPECT_FALSE(acknowledgements.Flush());
  EXPECT_FALSE(acknowledgements.flushing());
}

TEST(Acknowledgements, ANewConnectionStartsAfresh) {
  const Window window(kLimits);
  ScriptedOutlet outlet;
  outlet.queued = 5;
  outlet.room = 2;
  Acknowledgements acknowledgements(window, outlet);
  ASSERT_EQ(*acknowledgements.Flush(), Acknowledgements::Flushed::kPartly);
  acknowledgements.Forget();
  EXPECT_FALSE(acknowledgements.flushing());
}

TEST(AcknowledgementsDeathTest, NeverLeaveForAnUnconfirmedRecord) {
  Window window(kLimits);
  window.Hold(1, kNow);
  window.Sent();
  ScriptedOutlet outlet;
  outlet.queued = 1;
  Acknowledgements acknowledgements(window, outlet);
  EXPECT_DEATH((void)acknowledgements.Flush(), "has not confirmed");
  window.Reported(false);
  EXPECT_DEATH((void)acknowledgements.Flush(), "has not confirmed") << "nor for one that failed";
}

}  // namespace
}  // namespace heliograph::ingest
