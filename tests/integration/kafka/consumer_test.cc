#include "kafka/consumer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "integration/kafka/support.h"

namespace heliograph::kafka {
namespace {

using std::chrono::milliseconds;
using test::Sender;
using test::WaitFor;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Starts where it is told, and remembers what it was told.
class Listener final : public RebalanceListener {
 public:
  base::Result<std::int64_t> StartOf(const TopicPartition& partition) override {
    asked.push_back(partition);
    if (!ready) return base::MakeError(base::ErrorCode::kUnavailable, "the database is away");
    const auto at = starts.find(partition);
    return at == starts.end() ? kOffsetBeginning : at->second;
  }
  void OnRevoked(std::span<const TopicPartition> partitions, bool /*lost*/) override {
    revoked.insert(partitions.begin(), partitions.end());
  }
  void OnOffsetOutOfRange(const TopicPartition& partition, const std::string& /*why*/) override {
    out_of_range.push_back(partition);
  }

  bool ready = true;
  std::map<TopicPartition, std::int64_t> starts;
  std::vector<TopicPartition> asked;
  std::set<TopicPartition> revoked;
  std::vector<TopicPartition> out_of_range;
};

class ConsumerTest : public ::testing::Test {
 protected:
  // Fills partition 0 with "0", "1", ... so that a payload is its offset.
  void Fill(int count, int from = 0) {
    Sender sender(test::RealCluster());
    for (int i = from; i < from + count; ++i)
      ASSERT_TRUE(sender.Send(topic_, "k", std::to_string(i)));
    ASSERT_TRUE(sender.Flush());
  }

  std::unique_ptr<Consumer> Join(Listener& listener, const std::string& instance = "") {
    return std::make_unique<Consumer>(test::RealCluster(),
                                      ConsumerOptions{.client_id = "test",
                                                      .group_id = group_,
                                                      .group_instance_id = instance,
                                                      .session_timeout = milliseconds(6000)},
                                      std::vector<std::string>{topic_}, listener);
  }

  // Polls until there are `count` records.
  static std::vector<std::string> Take(Consumer& consumer, std::size_t count) {
    std::vector<std::string> payloads;
    WaitFor([&] {
      const auto records = consumer.Poll(1000, milliseconds(100));
      EXPECT_TRUE(records) << records.error().message;
      if (!records) return true;
      for (const ConsumedRecord& record : *records) payloads.emplace_back(record.payload());
      return payloads.size() >= count;
    });
    return payloads;
  }

  const std::string topic_ = test::NewTopic();
  const TopicPartition partition_{topic_, 0};
  const std::string group_ = test::NewName("group");
};

TEST_F(ConsumerTest, StartsAtTheGivenOffset) {
  Fill(10);
  Listener listener;
  listener.starts[partition_] = 7;
  const auto consumer = Join(listener);
  EXPECT_THAT(Take(*consumer, 3), ElementsAre("7", "8", "9"));
  EXPECT_THAT(listener.asked, ElementsAre(partition_));
  EXPECT_THAT(consumer->Assigned(), ElementsAre(partition_));
  EXPECT_EQ(consumer->unreachable(), "");
}

TEST_F(ConsumerTest, CommitsNothing) {
  Fill(3);
  for (int i = 0; i < 2; ++i) {
    Listener listener;
    EXPECT_THAT(Take(*Join(listener), 3), ElementsAre("0", "1", "2")) << "offsets are the caller's";
  }
}

TEST_F(ConsumerTest, HandsOutAtMostWhatWasAskedFor) {
  Fill(10);
  Listener listener;
  const auto consumer = Join(listener);
  std::vector<std::size_t> sizes;
  std::size_t total = 0;
  ASSERT_TRUE(WaitFor([&] {
    const auto records = consumer->Poll(4, milliseconds(100));
    total += records->size();
    EXPECT_LE(records->size(), 4U);
    return total == 10;
  }));
  const auto none = consumer->Poll(4, milliseconds(10));
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->empty());
}

TEST_F(ConsumerTest, ReadsNothingUntilTheStartIsKnown) {
  Fill(3);
  Listener listener;
  listener.ready = false;
  const auto consumer = Join(listener);
  ASSERT_TRUE(WaitFor([&] {
    EXPECT_TRUE(consumer->Poll(10, milliseconds(100))->empty());
    return listener.asked.size() >= 2;
  })) << "it is asked again";
  EXPECT_THAT(consumer->Assigned(), ElementsAre(partition_)) << "owned all the while";
  listener.ready = true;
  listener.starts[partition_] = 1;
  EXPECT_THAT(Take(*consumer, 2), ElementsAre("1", "2"));
}

TEST_F(ConsumerTest, PausesAndGoesOn) {
  Fill(3);
  Listener listener;
  const auto consumer = Join(listener);
  ASSERT_THAT(Take(*consumer, 3), ElementsAre("0", "1", "2"));
  ASSERT_TRUE(consumer->Pause(std::span(&partition_, 1)));
  Fill(2, 3);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(consumer->Poll(10, milliseconds(100))->empty());
  ASSERT_TRUE(consumer->Resume(std::span(&partition_, 1)));
  EXPECT_THAT(Take(*consumer, 2), ElementsAre("3", "4"));
}

// librdkafka 2.0.2 throws away what it has fetched when something is resumed that is not paused.
TEST_F(ConsumerTest, LosesNothingWhereNothingWasPaused) {
  Fill(300);
  Listener listener;
  const auto consumer = Join(listener);
  std::vector<std::string> expected;
  for (int i = 0; i < 300; ++i) expected.push_back(std::to_string(i));
  std::vector<std::string> taken;
  WaitFor([&] {
    EXPECT_TRUE(consumer->Resume(std::span(&partition_, 1)));
    const auto records = consumer->Poll(1, milliseconds(100));
    for (const ConsumedRecord& record : *records) taken.emplace_back(record.payload());
    return taken.size() >= expected.size();
  });
  EXPECT_EQ(taken, expected);
}

TEST_F(ConsumerTest, SeeksBackAndForth) {
  Fill(10);
  Listener listener;
  const auto consumer = Join(listener);
  ASSERT_EQ(Take(*consumer, 10).size(), 10U);
  ASSERT_TRUE(consumer->Seek(partition_, 8));
  EXPECT_THAT(Take(*consumer, 2), ElementsAre("8", "9"));
  ASSERT_TRUE(consumer->Seek(partition_, 9));
  EXPECT_THAT(Take(*consumer, 1), ElementsAre("9"));
  EXPECT_FALSE(consumer->Seek({topic_, 77}, 0)) << "not ours";
}

TEST_F(ConsumerTest, NeverJumpsWhereTheOffsetIsGone) {
  Fill(3);
  Listener listener;
  listener.starts[partition_] = 50;
  const auto consumer = Join(listener);
  ASSERT_TRUE(WaitFor([&] {
    EXPECT_TRUE(consumer->Poll(10, milliseconds(100))->empty());
    return !listener.out_of_range.empty();
  }));
  EXPECT_THAT(listener.out_of_range, ElementsAre(partition_));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(consumer->Poll(10, milliseconds(100))->empty());
  ASSERT_TRUE(consumer->Seek(partition_, 2));
  EXPECT_THAT(Take(*consumer, 1), ElementsAre("2"));
}

TEST_F(ConsumerTest, SharesPartitionsAndHandsThemOver) {
  const std::string topic = test::NewTopic(2);
  Listener first_listener;
  Listener second_listener;
  const auto join = [&](Listener& listener) {
    return std::make_unique<Consumer>(
        test::RealCluster(),
        ConsumerOptions{
            .client_id = "test", .group_id = group_, .session_timeout = milliseconds(6000)},
        std::vector<std::string>{topic}, listener);
  };
  const auto first = join(first_listener);
  ASSERT_TRUE(WaitFor([&] {
    EXPECT_TRUE(first->Poll(10, milliseconds(100)));
    return first->Assigned().size() == 2;
  }));
  auto second = join(second_listener);
  ASSERT_TRUE(WaitFor([&] {
    EXPECT_TRUE(first->Poll(10, milliseconds(50)));
    EXPECT_TRUE(second->Poll(10, milliseconds(50)));
    return first->Assigned().size() == 1 && second->Assigned().size() == 1;
  }));
  EXPECT_EQ(first_listener.revoked.size(), 2U) << "range takes all back before it gives again";
  second.reset();
  EXPECT_EQ(second_listener.revoked.size(), 1U) << "told when it leaves, too";
  EXPECT_TRUE(WaitFor([&] {
    EXPECT_TRUE(first->Poll(10, milliseconds(50)));
    return first->Assigned().size() == 2;
  }));
}

TEST_F(ConsumerTest, AStaticMemberComesBackToItsPartitions) {
  Fill(2);
  Listener listener;
  Take(*Join(listener, "recorder-0"), 2);
  Listener again;
  const auto started = std::chrono::steady_clock::now();
  EXPECT_THAT(Take(*Join(again, "recorder-0"), 2), ElementsAre("0", "1"));
  EXPECT_LT(std::chrono::steady_clock::now() - started, milliseconds(5000))
      << "without waiting for the old session";
}

TEST_F(ConsumerTest, TellsThatATopicIsMissing) {
  Listener listener;
  Consumer consumer(test::RealCluster(), {.client_id = "test", .group_id = group_},
                    {test::NewName("missing")}, listener);
  std::vector<base::ErrorCode> errors;
  WaitFor([&] {
    const auto records = consumer.Poll(10, milliseconds(100));
    if (!records) errors.push_back(records.error().code);
    return !errors.empty();
  });
  EXPECT_THAT(errors, ElementsAre(base::ErrorCode::kNotFound));
}

TEST_F(ConsumerTest, TellsTheEndsOfAPartition) {
  Fill(4);
  Listener listener;
  const auto consumer = Join(listener);
  const auto ends = consumer->QueryWatermarks(partition_, std::chrono::seconds(10));
  ASSERT_TRUE(ends) << ends.error().message;
  EXPECT_EQ(ends->begin, 0);
  EXPECT_EQ(ends->end, 4);
}

TEST(ConsumerAway, SaysSoAndDoesNotFail) {
  ClusterConfig nowhere;
  nowhere.brokers = "127.0.0.1:1";
  Listener listener;
  Consumer consumer(nowhere, {.client_id = "test", .group_id = "g"}, {"t"}, listener);
  EXPECT_TRUE(WaitFor([&] {
    const auto records = consumer.Poll(10, milliseconds(50));
    EXPECT_TRUE(records);
    return consumer.unreachable().find("refused") != std::string::npos;
  }));
  EXPECT_THAT(consumer.Assigned(), IsEmpty());
}

}  // namespace
}  // namespace heliograph::kafka
