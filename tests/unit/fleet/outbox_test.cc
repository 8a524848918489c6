// Numbered messages are kept until they are acknowledged, and come again in order.
#include "fleet/outbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

namespace heliograph::fleet {
namespace {

using testing::ElementsAre;
using testing::Pair;

std::vector<std::uint64_t> Take(Outbox& outbox, int count) {
  std::vector<std::uint64_t> taken;
  for (int i = 0; i < count; ++i) taken.push_back(outbox.Take({}).sequence);
  return taken;
}

TEST(Outbox, NumbersWithoutAGap) {
  Outbox outbox;
  EXPECT_FALSE(outbox.HasDue());
  EXPECT_THAT(Take(outbox, 3), ElementsAre(1, 2, 3));
  EXPECT_EQ(outbox.kept(), 3U);
  EXPECT_FALSE(outbox.HasDue()) << "all are on the way";
}

TEST(Outbox, WhatHasNoAcknowledgementComesAgainInOrderBeforeWhatIsNew) {
  Outbox outbox;
  Take(outbox, 5);
  outbox.OnAcknowledged(1);
  outbox.OnAcknowledged(3);
  outbox.OnConnectionLost();
  EXPECT_TRUE(outbox.HasDue());
  const Outbox::Item again = outbox.Take({});
  EXPECT_EQ(again.sequence, 2U);
  EXPECT_TRUE(again.again);
  outbox.OnAcknowledged(2);  // while others are still due
  EXPECT_THAT(Take(outbox, 3), ElementsAre(4, 5, 6));
  EXPECT_FALSE(outbox.HasDue());
  for (std::uint64_t i = 4; i <= 6; ++i) outbox.OnAcknowledged(i);
  EXPECT_EQ(outbox.kept(), 0U);
  EXPECT_THAT(outbox.acknowledged().ranges(), ElementsAre(Pair(1, 6)));
  EXPECT_EQ(outbox.last(), 6U);
}

TEST(Outbox, KeepsTheTimeOfTheFirstSending) {
  Outbox outbox;
  const base::Timestamp first{std::chrono::seconds(1)};
  outbox.Take(first);
  outbox.OnConnectionLost();
  EXPECT_EQ(outbox.Take(base::Timestamp{std::chrono::seconds(9)}).sent, first);
}

TEST(Outbox, TellsWhatNobodyListenedToAndWhatWasRefused) {
  Outbox outbox;
  Take(outbox, 3);
  outbox.OnNoSubscriber(1);
  outbox.OnRefused(2);
  outbox.OnAcknowledged(3);
  EXPECT_EQ(outbox.kept(), 0U);
  EXPECT_THAT(outbox.no_subscriber().ranges(), ElementsAre(Pair(1, 1)));
  EXPECT_THAT(outbox.refused().ranges(), ElementsAre(Pair(2, 2)));
  EXPECT_THAT(outbox.acknowledged().ranges(), ElementsAre(Pair(3, 3)));
}

constexpr std::chrono::milliseconds kTimeout{1000};

base::SteadyTime At(int milliseconds) {
  return base::SteadyTime{std::chrono::milliseconds(milliseconds)};
}

TEST(OutboxWithReceipts, KeepsAMessageUntilItsReceipt) {
  Outbox outbox(true);
  Take(outbox, 3);
  EXPECT_TRUE(outbox.OnAcknowledged(1, At(0)));
  EXPECT_FALSE(outbox.OnAcknowledged(1, At(1))) << "counted once";
  EXPECT_EQ(outbox.kept(), 3U);
  EXPECT_TRUE(outbox.OnReceipt(2)) << "whatever the order";
  EXPECT_TRUE(outbox.OnReceipt(1));
  EXPECT_FALSE(outbox.OnReceipt(1)) << "a second receipt, of a message that was sent twice";
  EXPECT_FALSE(outbox.OnReceipt(9)) << "of a message that never was";
  EXPECT_EQ(outbox.kept(), 1U);
  EXPECT_THAT(outbox.receipted().ranges(), ElementsAre(Pair(1, 2)));
}

TEST(OutboxWithReceipts, AfterALostConnectionAllWithoutOneComeAgainInOrder) {
  Outbox outbox(true);
  Take(outbox, 4);
  for (std::uint64_t i = 1; i <= 4; ++i) outbox.OnAcknowledged(i, At(0));
  outbox.OnReceipt(2);
  outbox.OnConnectionLost();
  EXPECT_THAT(Take(outbox, 4), ElementsAre(1, 3, 4, 5));
}

TEST(OutboxWithReceipts, WhatWaitsTooLongComesAgain) {
  Outbox outbox(true);
  Take(outbox, 4);
  outbox.OnAcknowledged(1, At(0));
  outbox.OnNoSubscriber(2, At(0));
  outbox.OnAcknowledged(3, At(500));
  outbox.OnTime(At(999), kTimeout);
  EXPECT_FALSE(outbox.HasDue());
  outbox.OnTime(At(1000), kTimeout);
  EXPECT_THAT(Take(outbox, 2), ElementsAre(1, 2)) << "4 waits for the broker, not for its receipt";
  EXPECT_FALSE(outbox.HasDue());
  outbox.OnTime(At(1500), kTimeout);
  EXPECT_TRUE(outbox.HasDue());
  EXPECT_TRUE(outbox.OnReceipt(3)) << "a late one";
  EXPECT_FALSE(outbox.HasDue());
  EXPECT_THAT(Take(outbox, 1), ElementsAre(5));
}

TEST(OutboxWithReceipts, WaitsLongerEachTime) {
  Outbox outbox(true);
  Take(outbox, 1);
  int now = 0;
  for (const int wait : {1000, 2000, 4000, 8000, 16'000, 16'000}) {
    outbox.OnAcknowledged(1, At(now));
    outbox.OnTime(At(now + wait - 1), kTimeout);
    EXPECT_FALSE(outbox.HasDue()) << wait;
    now += wait;
    outbox.OnTime(At(now), kTimeout);
    EXPECT_TRUE(outbox.HasDue()) << wait;
    Take(outbox, 1);
  }
}

TEST(OutboxWithReceipts, GivesUpWhatTheBrokerRefuses) {
  Outbox outbox(true);
  Take(outbox, 1);
  outbox.OnRefused(1);
  EXPECT_EQ(outbox.kept(), 0U);
}

TEST(SequenceSet, IsASetWhateverTheOrder) {
  std::minstd_rand random(1);
  for (int round = 0; round < 200; ++round) {
    SequenceSet ranges;
    std::set<std::uint64_t> expected;
    for (int i = 0; i < 40; ++i) {
      const std::uint64_t number = random() % 30;
      ranges.Add(number);
      expected.insert(number);
    }
    EXPECT_EQ(ranges.size(), expected.size());
    std::set<std::uint64_t> held;
    std::optional<std::uint64_t> end;
    for (const auto& [first, last] : ranges.ranges()) {
      EXPECT_TRUE(!end || first > *end + 1) << "ranges are in order and do not touch";
      end = last;
      for (std::uint64_t n = first; n <= last; ++n) held.insert(n);
    }
    EXPECT_EQ(held, expected);
  }
}

}  // namespace
}  // namespace heliograph::fleet
