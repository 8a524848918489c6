#include "dispatch/publisher.h"

#include <gtest/gtest.h>

#include "action/action.h"
#include "device/data_message.h"
#include "scripted_sender.h"

namespace heliograph::dispatch {
namespace {

using action::TargetEvent;
using std::chrono::milliseconds;

class FixedClock final : public base::Clock {
 public:
  base::Timestamp Now() const override {
    return base::Timestamp{std::chrono::seconds(1'700'000'000)};
  }
  base::SteadyTime SteadyNow() const override { return steady; }
  base::SteadyTime steady = std::chrono::steady_clock::now();
};

class PublisherTest : public testing::Test {
 protected:
  Publisher Make(milliseconds timeout = milliseconds(60'000)) {
    return Publisher(sender_, *device::TopicGrammar::Create("redhat/insights"), {timeout, 10'000},
                     clock_, metrics_);
  }
  static std::vector<device::ClientId> Ids(std::size_t count) {
    std::vector<device::ClientId> ids;
    for (std::size_t i = 0; i < count; ++i) ids.emplace_back("d-" + std::to_string(i));
    return ids;
  }

  FixedClock clock_;
  const Order order_{action::ActionId("01234567-89ab-7def-8123-456789abcdef"),
                     action::Directive("solar.configure"),
                     R"({"limit_w":4000})",
                     {{"ticket", "T-1"}},
                     base::Timestamp{std::chrono::seconds(1'700'000'090)},
                     clock_.steady + milliseconds(90'700)};
  ScriptedSender sender_;
  metrics::Registry metrics_;
};

TEST_F(PublisherTest, SendsTheEnvelopeOfTheProtocol) {
  Publisher publisher = Make();
  const auto fates = publisher.Publish(order_, Ids(1));
  ASSERT_EQ(fates.size(), 1U);
  EXPECT_EQ(fates[0].event, TargetEvent::kPublished);
  ASSERT_EQ(sender_.sent.size(), 1U);
  const mqtt::OutgoingMessage& message = sender_.sent[0];
  EXPECT_EQ(message.topic, "redhat/insights/d-0/data/in");
  EXPECT_EQ(message.qos, 1);
  EXPECT_FALSE(message.retain);
  EXPECT_EQ(message.expiry, std::chrono::seconds(90));
  EXPECT_EQ(
      message.payload,
      R"({"type":"data","message_id":"01234567-89ab-7def-8123-456789abcdef","response_to":"","version":1,)"
      R"("sent":"2023-11-14T22:13:20.000000Z","directive":"solar.configure",)"
      R"("metadata":{"heliograph.deadline":"2023-11-14T22:14:50.000000Z","ticket":"T-1"},)"
      R"("content":{"limit_w":4000}})");
}

TEST_F(PublisherTest, TellsFatesInTheOrderOfTheTargets) {
  sender_.answer = [](const mqtt::OutgoingMessage& message, const mqtt::PublishCallback& on_done) {
    const bool listens = message.topic.find("d-1/") == std::string::npos;
    on_done(listens ? mqtt::PublishOutcome::kAcknowledged
                    : mqtt::PublishOutcome::kNoMatchingSubscribers,
            0);
  };
  Publisher publisher = Make();
  const auto fates = publisher.Publish(order_, Ids(3));
  EXPECT_EQ(fates[0].event, TargetEvent::kPublished);
  EXPECT_EQ(fates[1].reason, action::kNoMatchingSubscribers);
  EXPECT_EQ(fates[2].event, TargetEvent::kPublished);
}

TEST_F(PublisherTest, ABrokerThatIsAwayGetsNothing) {
  sender_.is_connected = false;
  Publisher publisher = Make();
  EXPECT_FALSE(publisher.Enter());
  const auto fates = publisher.Publish(order_, Ids(2));
  for (const Fate& fate : fates) EXPECT_EQ(fate.reason, action::kNotSent);
}

TEST_F(PublisherTest, ASilentBrokerIsNotWaitedForBeyondTheTime) {
  sender_.answer = [](const auto&, const auto&) {};
  clock_.steady -= std::chrono::hours(1);  // the time to wait has passed when the first was sent
  Publisher publisher = Make();
  const auto fates = publisher.Publish(order_, Ids(1));
  EXPECT_EQ(fates[0].reason, action::kNotAcknowledged);
}

TEST_F(PublisherTest, WhatASilentBrokerHasNotTakenGoesWithTheConnection) {
  clock_.steady -= std::chrono::hours(1);
  sender_.answer = [this](const auto&, const auto&) { clock_.steady += std::chrono::minutes(2); };
  Publisher publisher = Make();
  EXPECT_EQ(publisher.Publish(order_, Ids(1))[0].reason, action::kNotAcknowledged);
  EXPECT_EQ(sender_.reconnects, 1);
  Order short_lived = order_;
  short_lived.give_up_at = clock_.steady + milliseconds(100);
  EXPECT_EQ(publisher.Publish(short_lived, Ids(1))[0].reason, action::kNotAcknowledged);
  EXPECT_EQ(sender_.reconnects, 1) << "a deadline says nothing about the broker";
}

TEST_F(PublisherTest, PublishesNothingAfterTheDeadline) {
  sender_.answer = [this](const auto&, const mqtt::PublishCallback& on_done) {
    clock_.steady += milliseconds(600);
    on_done(mqtt::PublishOutcome::kAcknowledged, 0);
  };
  Order order = order_;
  order.give_up_at = clock_.steady + milliseconds(1000);
  Publisher publisher = Make();
  const auto fates = publisher.Publish(order, Ids(3));
  ASSERT_EQ(sender_.sent.size(), 2U);
  EXPECT_EQ(sender_.sent[1].expiry, std::chrono::seconds(1)) << "none at all would be for ever";
  EXPECT_EQ(fates[1].event, TargetEvent::kPublished);
  EXPECT_EQ(fates[2].reason, action::kNotSent);
}

TEST_F(PublisherTest, SendsManyOrdersAndLeavesOutThoseThatAreTooLate) {
  Order late = order_;
  late.id = action::ActionId("01234567-89ab-7def-8123-000000000000");
  late.give_up_at = clock_.steady;
  Publisher publisher = Make();
  const std::vector<device::ClientId> ids = {device::ClientId("a"), device::ClientId("b"),
                                             device::ClientId("c")};
  const std::vector<Publisher::Delivery> deliveries = {
      {&order_, &ids[0]}, {&late, &ids[1]}, {&order_, &ids[2]}};
  const auto fates = publisher.Publish(deliveries);
  ASSERT_EQ(fates.size(), 3U);
  EXPECT_EQ(fates[0].event, TargetEvent::kPublished);
  EXPECT_EQ(fates[1].reason, action::kNotSent);
  EXPECT_EQ(fates[2].event, TargetEvent::kPublished);
  ASSERT_EQ(sender_.sent.size(), 2U);
  EXPECT_EQ(sender_.sent[1].topic, "redhat/insights/c/data/in");
}

TEST_F(PublisherTest, TriesAgainWhileTheConnectionIsFull) {
  sender_.refusals = 2;
  Publisher publisher = Make();
  EXPECT_EQ(publisher.Publish(order_, Ids(1))[0].event, TargetEvent::kPublished);
  EXPECT_EQ(sender_.sent.size(), 1U);
}

TEST_F(PublisherTest, SendsNoMoreThanItsWindowAhead) {
  sender_.answer = [](const auto&, const auto&) {};
  clock_.steady -= std::chrono::hours(1);
  Publisher publisher = Make();
  const auto fates = publisher.Publish(order_, Ids(5000));
  EXPECT_EQ(sender_.sent.size(), 1000U);
  EXPECT_EQ(fates[999].reason, action::kNotAcknowledged);
  EXPECT_EQ(fates[1000].reason, action::kNotSent);
}

TEST_F(PublisherTest, HasMoreTimeForMoreTargets) {
  const Publisher publisher = Make(milliseconds(5000));
  EXPECT_EQ(publisher.TimeFor(1), milliseconds(5001));
  EXPECT_EQ(publisher.TimeFor(10'000), milliseconds(15'000));
}

TEST_F(PublisherTest, RefusesWhatTheBrokerWouldNotTake) {
  const Publisher publisher = Make();
  EXPECT_TRUE(publisher.CheckSize(order_, Ids(1)));
  Order large = order_;
  large.payload = '"' + std::string(10'000, 'x') + '"';
  const base::Status size = publisher.CheckSize(large, Ids(1));
  ASSERT_FALSE(size);
  EXPECT_EQ(size.error().code, base::ErrorCode::kTooLarge);
  large.payload = '"' + std::string(9'650, 'x') + '"';
  EXPECT_TRUE(publisher.CheckSize(large, Ids(1)));
  EXPECT_FALSE(publisher.CheckSize(large, std::vector{device::ClientId(std::string(128, 'd'))}))
      << "the topic counts too";
}

}  // namespace
}  // namespace heliograph::dispatch
