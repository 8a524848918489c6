#include "dispatch/publication.h"

#include <gtest/gtest.h>

#include "action/action.h"

namespace heliograph::dispatch {
namespace {

using action::TargetEvent;

const base::SteadyTime kPast = base::SteadyTime::min();
const base::SteadyTime kNever = std::chrono::steady_clock::now() + std::chrono::hours(1);

TEST(FateOf, NeverCallsPublishedWhatTheBrokerDidNotAcknowledge) {
  EXPECT_EQ(FateOf(mqtt::PublishOutcome::kAcknowledged).event, TargetEvent::kPublished);
  const std::tuple<mqtt::PublishOutcome, TargetEvent, std::string_view> others[] = {
      {mqtt::PublishOutcome::kNoMatchingSubscribers, TargetEvent::kUndeliverable,
       action::kNoMatchingSubscribers},
      {mqtt::PublishOutcome::kRefused, TargetEvent::kUndeliverable, action::kRefusedByBroker},
      {mqtt::PublishOutcome::kConnectionLost, TargetEvent::kQueued, action::kNotAcknowledged},
  };
  for (const auto& [outcome, event, reason] : others) {
    EXPECT_EQ(FateOf(outcome).event, event) << reason;
    EXPECT_EQ(FateOf(outcome).reason, reason);
  }
}

TEST(Publication, TellsEveryTargetsFate) {
  Publication publication(4);
  for (const std::size_t target : {0U, 1U, 2U}) publication.Begin(target);
  publication.Acknowledge(0, {TargetEvent::kPublished, {}});
  publication.Acknowledge(1, {TargetEvent::kUndeliverable, action::kNoMatchingSubscribers});
  const auto fates = publication.End(kPast);
  ASSERT_EQ(fates.size(), 4U);
  EXPECT_EQ(fates[0].event, TargetEvent::kPublished);
  EXPECT_EQ(fates[1].reason, action::kNoMatchingSubscribers);
  EXPECT_EQ(fates[2].reason, action::kNotAcknowledged)
      << "it was sent, and nobody answered in time";
  EXPECT_EQ(fates[3].reason, action::kNotSent) << "its turn never came";
  EXPECT_EQ(fates[2].event, TargetEvent::kQueued) << "it is tried again";
  EXPECT_EQ(fates[3].event, TargetEvent::kQueued);
}

TEST(Publication, AnAcknowledgementAfterTheEndCountsForNothing) {
  Publication publication(1);
  publication.Begin(0);
  EXPECT_EQ(publication.End(kPast)[0].event, TargetEvent::kQueued);
  publication.Acknowledge(0, {TargetEvent::kPublished, {}});
  EXPECT_EQ(publication.End(kPast)[0].event, TargetEvent::kQueued);
}

TEST(Publication, TheFirstAcknowledgementCounts) {
  Publication publication(1);
  publication.Begin(0);
  publication.Acknowledge(0, {TargetEvent::kPublished, {}});
  publication.Acknowledge(0, {TargetEvent::kUndeliverable, action::kNotAcknowledged});
  EXPECT_EQ(publication.End(kNever)[0].event, TargetEvent::kPublished);
}

TEST(Publication, HasRoomBelowItsWindow) {
  Publication publication(3);
  EXPECT_TRUE(publication.WaitForRoom(1, kPast));
  publication.Begin(0);
  EXPECT_FALSE(publication.WaitForRoom(1, kPast));
  EXPECT_TRUE(publication.WaitForRoom(2, kPast));
  publication.Withdraw(0);
  EXPECT_TRUE(publication.WaitForRoom(1, kPast));
  publication.Begin(1);
  publication.Acknowledge(1, {TargetEvent::kPublished, {}});
  EXPECT_TRUE(publication.WaitForRoom(1, kPast));
  EXPECT_EQ(publication.End(kNever)[0].reason, action::kNotSent);
}

}  // namespace
}  // namespace heliograph::dispatch
