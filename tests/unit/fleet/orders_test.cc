#include "fleet/orders.h"

#include <gtest/gtest.h>

namespace heliograph::fleet {
namespace {

TEST(ParseOrder, KnowsEveryOrder) {
  struct Case {
    const char* line;
    Order::Kind kind;
    const char* name;
    std::int64_t number;
  };
  const Case cases[] = {
      {"kill solar-1", Order::Kind::kKill, "solar-1", 0},
      {"offline solar-*", Order::Kind::kOffline, "solar-*", 0},
      {"  online   * ", Order::Kind::kOnline, "*", 0},
      {"flap solar-1 12", Order::Kind::kFlap, "solar-1", 12},
      {"rate 5000", Order::Kind::kRate, "", 5000},
      {"status", Order::Kind::kStatus, "", 0},
      {"quit\r", Order::Kind::kQuit, "", 0},
  };
  for (const Case& one : cases) {
    const auto order = ParseOrder(one.line);
    ASSERT_TRUE(order) << one.line;
    EXPECT_EQ(order->kind, one.kind) << one.line;
    EXPECT_EQ(order->name, one.name) << one.line;
    EXPECT_EQ(order->number, one.number) << one.line;
  }
}

TEST(ParseOrder, RefusesTheRest) {
  for (const char* line : {"", " ", "kill", "kill a b", "flap a", "flap a b", "flap a -1", "rate",
                           "rate x", "rate 1x", "status now", "explode", "KILL a"}) {
    EXPECT_FALSE(ParseOrder(line)) << line;
  }
}

TEST(Names, ExactlyOrByTheirBeginning) {
  const auto one = *ParseOrder("kill solar-1");
  EXPECT_TRUE(Names(one, "solar-1"));
  EXPECT_FALSE(Names(one, "solar-10"));
  const auto some = *ParseOrder("kill solar-1*");
  EXPECT_TRUE(Names(some, "solar-1"));
  EXPECT_TRUE(Names(some, "solar-10"));
  EXPECT_FALSE(Names(some, "solar-2"));
  EXPECT_TRUE(Names(*ParseOrder("kill *"), "anything"));
}

}  // namespace
}  // namespace heliograph::fleet
