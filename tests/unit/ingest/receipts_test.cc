// Who gets a receipt, what it says, and how many may wait.
#include "ingest/receipts.h"

#include <gtest/gtest.h>

#include <deque>
#include <utility>

#include "ingest/receipt.h"
#include "json/json.h"

namespace heliograph::ingest {
namespace {

const device::TopicGrammar& Grammar() {
  static const device::TopicGrammar grammar = *device::TopicGrammar::Create("heliograph");
  return grammar;
}

TEST(IsOwnControlIn, IsThePublishersOwnAndNothingElse) {
  struct Case {
    const char* topic;
    const char* publisher;
    bool allowed;
    const char* why;
  };
  const Case cases[] = {
      {"heliograph/d-1/control/in", "d-1", true, "its own"},
      {"heliograph/d-2/control/in", "d-1", false, "another device's"},
      {"heliograph/d-11/control/in", "d-1", false, "one that begins like it"},
      {"heliograph/d-1/data/in", "d-1", false, "where actions come"},
      {"heliograph/d-1/control/out", "d-1", false, "what it says itself"},
      {"heliograph/@ingest/control/out", "d-1", false, "the canary's"},
      {"heliograph/@api/control/in", "d-1", false, "a service's"},
      {"heliograph/+/control/in", "d-1", false, "a wildcard"},
      {"heliograph/d-1/control/in/", "d-1", false, "one level more"},
      {"heliograph/d-1/control/#", "d-1", false, "a wildcard"},
      {"Heliograph/d-1/control/in", "d-1", false, "another prefix"},
      {"other/d-1/control/in", "d-1", false, "another prefix"},
      {"d-1/control/in", "d-1", false, "no prefix"},
      {"$SYS/broker/uptime", "d-1", false, "the broker's"},
      {"", "d-1", false, "nothing"},
      {"heliograph//control/in", "", false, "nobody's, of nobody"},
      {"heliograph/a b/control/in", "", false, "no client id, so no publisher"},
  };
  for (const Case& test : cases) {
    EXPECT_EQ(IsOwnControlIn(Grammar(), test.topic, test.publisher), test.allowed)
        << test.topic << ": " << test.why;
  }
}

TEST(ReceiptMessage, IsAnEnvelope) {
  const base::Timestamp sent(std::chrono::seconds(1'700'000'000));
  auto message =
      json::Parse(ReceiptMessage({.partition = 2, .offset = 5'000'000'000}, "m-1", sent));
  ASSERT_TRUE(message);
  EXPECT_EQ(*message, *json::Parse(R"({"type":"receipt","message_id":"m-1","response_to":"",
      "version":1,"sent":"2023-11-14T22:13:20.000000Z",
      "content":{"state":"stored","partition":2,"offset":5000000000}})"));
  message = json::Parse(ReceiptMessage(
      {.partition = 0, .offset = 1, .dead_letter = device::DeadLetterReason::kTooLarge}, "m-2",
      sent));
  ASSERT_TRUE(message);
  EXPECT_EQ((*message)["content"]["dead_letter"], "too_large");
}

class FixedClock final : public base::Clock {
 public:
  base::Timestamp Now() const override { return base::Timestamp(std::chrono::seconds(1)); }
  base::SteadyTime SteadyNow() const override { return {}; }
};

class ReceiptsTest : public testing::Test {
 protected:
  Receipts Make(std::int64_t max_waiting, std::int64_t max_bytes = 1024 * 1024) {
    return Receipts(
        {.max_waiting = max_waiting, .max_bytes = max_bytes}, Grammar(), clock_, registry_,
        [this](mqtt::OutgoingMessage message, mqtt::PublishCallback done) {
          if (!connected_) {
            return base::Status(base::MakeError(base::ErrorCode::kUnavailable, "not connected"));
          }
          sent_.emplace_back(std::move(message), std::move(done));
          return base::Status();
        });
  }

  static Receipts::Ticket Ask(Receipts& receipts, std::string_view correlation,
                              std::string_view topic = "heliograph/d-1/control/in") {
    return receipts.Ask({.topic = "heliograph/d-1/data/out",
                         .payload = "x",
                         .qos = 1,
                         .retain = false,
                         .response_topic = topic,
                         .correlation_data = correlation},
                        "d-1");
  }

  static kafka::Delivery Delivered(Receipts::Ticket ticket, std::int64_t offset = 7) {
    return {.tag = ticket, .ok = true, .error = {}, .partition = 1, .offset = offset};
  }

  static kafka::Delivery Failed(Receipts::Ticket ticket) {
    return {.tag = ticket, .ok = false, .error = {}, .partition = -1, .offset = -1};
  }

  // The broker's answer to the oldest.
  void Answer(mqtt::PublishOutcome outcome) {
    sent_.front().second(outcome, 0);
    sent_.pop_front();
  }

  double Dropped(const char* reason) {
    return registry_
        .AddCounter("heliograph_ingest_receipts_dropped_total",
                    "Receipts that a device asked for and did not get, so that it sends its "
                    "message again.",
                    {{"reason", reason}})
        .Value();
  }
  bool Shows(const std::string& line) {
    return registry_.Exposition().find(line) != std::string::npos;
  }

  FixedClock clock_;
  metrics::Registry registry_;
  bool connected_ = true;
  std::deque<std::pair<mqtt::OutgoingMessage, mqtt::PublishCallback>> sent_;
};

TEST_F(ReceiptsTest, LeaveWhenKafkaHasTheRecordWithTheDevicesOwnData) {
  Receipts receipts = Make(10);
  const std::string correlation("\0\xff 17", 5);
  const Receipts::Ticket first = Ask(receipts, correlation);
  const Receipts::Ticket second = Ask(receipts, "18");
  ASSERT_NE(first, Receipts::kNone);
  ASSERT_NE(first, second);
  EXPECT_TRUE(sent_.empty()) << "Kafka has said nothing";
  receipts.Reported(Delivered(second, 8));
  receipts.Reported(Delivered(first, 7));
  ASSERT_EQ(sent_.size(), 2U);
  EXPECT_EQ(sent_[0].first.correlation_data, "18");
  const mqtt::OutgoingMessage& message = sent_[1].first;
  EXPECT_EQ(message.topic, "heliograph/d-1/control/in");
  EXPECT_EQ(message.correlation_data, correlation);
  EXPECT_FALSE(message.retain);
  EXPECT_TRUE(message.expiry) << "a device that is away must not find thousands of old ones";
  EXPECT_EQ((*json::Parse(message.payload))["content"]["offset"], 7);
  EXPECT_EQ(receipts.waiting(), 2U) << "for the broker";
  Answer(mqtt::PublishOutcome::kAcknowledged);
  Answer(mqtt::PublishOutcome::kAcknowledged);
  EXPECT_EQ(receipts.waiting(), 0U);
  EXPECT_TRUE(Shows("heliograph_ingest_receipts_sent_total 2"));
}

TEST_F(ReceiptsTest, NoneForAnotherTopicAndItIsCounted) {
  Receipts receipts = Make(10);
  EXPECT_EQ(Ask(receipts, "1", "heliograph/d-2/control/in"), Receipts::kNone);
  EXPECT_EQ(Ask(receipts, "1", "heliograph/d-1/data/in"), Receipts::kNone);
  EXPECT_EQ(receipts.waiting(), 0U);
  EXPECT_TRUE(Shows("heliograph_ingest_receipts_refused_total 2"));
}

TEST_F(ReceiptsTest, NoneForWhatKafkaHasNotTaken) {
  Receipts receipts = Make(1);
  receipts.Reported(Failed(Ask(receipts, "1")));
  receipts.Withdraw(Ask(receipts, "2"));
  receipts.Withdraw(Receipts::kNone);
  EXPECT_TRUE(sent_.empty());
  EXPECT_NE(Ask(receipts, "3"), Receipts::kNone) << "there is room again";
}

TEST_F(ReceiptsTest, MoreThanTheLimitAreDroppedWhereverTheyWait) {
  Receipts receipts = Make(2);
  const Receipts::Ticket first = Ask(receipts, "1");
  Ask(receipts, "2");
  EXPECT_EQ(Ask(receipts, "3"), Receipts::kNone) << "two wait for Kafka";
  receipts.Reported(Delivered(first));
  EXPECT_EQ(Ask(receipts, "4"), Receipts::kNone) << "one waits for Kafka, one for the broker";
  EXPECT_EQ(Dropped("full"), 2);
  Answer(mqtt::PublishOutcome::kAcknowledged);
  EXPECT_NE(Ask(receipts, "5"), Receipts::kNone);
}

TEST_F(ReceiptsTest, LargeCorrelationDataCountsToo) {
  Receipts receipts = Make(1000, 200'000);
  const std::string large(65'535, 'x');
  std::vector<Receipts::Ticket> tickets;
  for (int i = 0; i < 3; ++i) tickets.push_back(Ask(receipts, large));
  EXPECT_EQ(Ask(receipts, large), Receipts::kNone);
  EXPECT_EQ(Dropped("full"), 1);
  for (const Receipts::Ticket ticket : tickets) receipts.Reported(Delivered(ticket));
  for (int i = 0; i < 3; ++i) Answer(mqtt::PublishOutcome::kAcknowledged);
  for (int i = 0; i < 3; ++i) EXPECT_NE(Ask(receipts, large), Receipts::kNone) << "as before";
}

TEST_F(ReceiptsTest, OneThatCannotBeSentIsDroppedAndCounted) {
  Receipts receipts = Make(1);
  connected_ = false;
  receipts.Reported(Delivered(Ask(receipts, "1")));
  EXPECT_EQ(Dropped("no_connection"), 1);
  connected_ = true;
  for (const auto outcome :
       {mqtt::PublishOutcome::kConnectionLost, mqtt::PublishOutcome::kNoMatchingSubscribers,
        mqtt::PublishOutcome::kRefused}) {
    receipts.Reported(Delivered(Ask(receipts, "2")));
    ASSERT_EQ(sent_.size(), 1U) << "there was room";
    Answer(outcome);
  }
  EXPECT_EQ(Dropped("no_connection"), 2);
  EXPECT_EQ(Dropped("nobody_listens"), 1);
  EXPECT_EQ(Dropped("refused_by_broker"), 1);
}

TEST_F(ReceiptsTest, SayOfADeadLetterThatItIsOne) {
  Receipts receipts = Make(1);
  const Receipts::Ticket ticket = Ask(receipts, "1");
  receipts.MarkDeadLetter(ticket, device::DeadLetterReason::kTooLarge);
  receipts.MarkDeadLetter(Receipts::kNone, device::DeadLetterReason::kTooLarge);
  receipts.Reported(Delivered(ticket));
  EXPECT_EQ((*json::Parse(sent_[0].first.payload))["content"]["dead_letter"], "too_large");
  Answer(mqtt::PublishOutcome::kAcknowledged);
  receipts.Reported(Delivered(Ask(receipts, "2")));
  EXPECT_FALSE((*json::Parse(sent_[0].first.payload))["content"].contains("dead_letter"))
      << "the next in the same place";
}

TEST_F(ReceiptsTest, WithTheProducerGoneNobodyWaitsForKafka) {
  Receipts receipts = Make(3);
  const Receipts::Ticket on_its_way = Ask(receipts, "1");
  Ask(receipts, "2");
  Ask(receipts, "3");
  receipts.Reported(Delivered(on_its_way));
  receipts.Abandon();
  EXPECT_EQ(receipts.waiting(), 1U) << "for the broker, which may still answer";
  Answer(mqtt::PublishOutcome::kAcknowledged);
  EXPECT_EQ(receipts.waiting(), 0U);
  for (int i = 0; i < 3; ++i) EXPECT_NE(Ask(receipts, "again"), Receipts::kNone);
}

TEST_F(ReceiptsTest, ALimitOfZeroSendsNone) {
  Receipts receipts = Make(0);
  EXPECT_EQ(Ask(receipts, "1"), Receipts::kNone);
}

}  // namespace
}  // namespace heliograph::ingest
