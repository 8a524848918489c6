#include "owner/answer_memory.h"

#include <gtest/gtest.h>

namespace heliograph::owner {
namespace {

using device::ClientId;
using device::TenantId;
using std::chrono::seconds;
using Kind = Reply::Kind;

constexpr base::SteadyTime kBegin{std::chrono::hours(1)};
const ClientId kDevice("pv-1");
const Reply kOwned{.kind = Kind::kOwned, .owner = TenantId("north")};
const Reply kNobody{.kind = Kind::kNobody};

AnswerMemory Memory(std::size_t most = 10) {
  return AnswerMemory({.most = most,
                       .good_for = seconds(60),
                       .first_try = seconds(30),
                       .last_try = seconds(200),
                       .first_failure = seconds(1),
                       .last_failure = seconds(5)});
}

// How long the answer counts that is put at `now`.
seconds GoodFor(AnswerMemory& memory, const Reply& reply, base::SteadyTime now) {
  memory.Put(kDevice, reply, now);
  for (seconds time(1); time < seconds(1000); ++time) {
    if (!memory.Find(kDevice, now + time)) return time;
  }
  return seconds(1000);
}

TEST(AnswerMemory, AnOwnerCountsForAWhile) {
  AnswerMemory memory = Memory();
  EXPECT_EQ(memory.Find(kDevice, kBegin), std::nullopt) << "never asked";
  EXPECT_EQ(GoodFor(memory, kOwned, kBegin), seconds(60));
  EXPECT_EQ(GoodFor(memory, kOwned, kBegin + seconds(60)), seconds(60)) << "and as long again";
  memory.Put(kDevice, kOwned, kBegin);
  EXPECT_EQ(memory.Find(kDevice, kBegin), (Answer{true, TenantId("north")}));
}

TEST(AnswerMemory, WhatIsNobodysIsAskedForLessAndLess) {
  AnswerMemory memory = Memory();
  auto now = kBegin;
  for (const int expected : {30, 60, 120, 200, 200}) {
    EXPECT_EQ(GoodFor(memory, kNobody, now), seconds(expected));
    now += seconds(expected);
  }
  memory.Put(kDevice, kNobody, now);
  EXPECT_EQ(memory.Find(kDevice, now), (Answer{true, std::nullopt})) << "that is told, too";
  memory.Put(kDevice, kOwned, now);
  EXPECT_EQ(GoodFor(memory, kNobody, now), seconds(30)) << "it was somebody's meanwhile";
}

TEST(AnswerMemory, WhatWasAskedInVainIsNotToldAndAskedForAgainSoon) {
  for (const Kind kind : {Kind::kRefused, Kind::kWrong, Kind::kUnanswered}) {
    AnswerMemory memory = Memory();
    auto now = kBegin;
    for (const int expected : {1, 2, 4, 5, 5}) {
      EXPECT_EQ(GoodFor(memory, {.kind = kind}, now), seconds(expected));
      now += seconds(expected);
    }
    memory.Put(kDevice, {.kind = kind}, now);
    EXPECT_EQ(memory.Find(kDevice, now), (Answer{false, std::nullopt}));
    EXPECT_EQ(GoodFor(memory, kNobody, now), seconds(30)) << "an answer is a beginning";
  }
}

TEST(AnswerMemory, IsBounded) {
  AnswerMemory memory = Memory(2);
  for (const char* name : {"a", "b", "c"}) memory.Put(ClientId(name), kOwned, kBegin);
  EXPECT_EQ(memory.size(), 2U);
  EXPECT_EQ(memory.Find(ClientId("a"), kBegin), std::nullopt);
  EXPECT_TRUE(memory.Find(ClientId("c"), kBegin));
}

}  // namespace
}  // namespace heliograph::owner
