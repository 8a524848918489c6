#include "kafka/producer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/startup_error.h"
#include "integration/kafka/support.h"
#include "kafka/partitions.h"

namespace heliograph::kafka {
namespace {

using test::MockCluster;
using test::Sender;
using test::WaitFor;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> Numbers(int from, int to) {
  std::vector<std::string> numbers;
  for (int i = from; i <= to; ++i) numbers.push_back(std::to_string(i));
  return numbers;
}

TEST(Producer, CarriesBytesKeyAndHeaders) {
  const std::string topic = test::NewTopic();
  Sender sender(test::RealCluster());
  const std::string binary("\0\xff\n{", 4);
  const Header headers[] = {{"mqtt.topic", "heliograph/a/data/out"}, {"empty", ""}};
  ASSERT_TRUE(sender.producer().Send(
      {.topic = topic, .key = "a", .payload = binary, .headers = headers}, 7));
  ASSERT_TRUE(sender.Send(topic, "a", ""));
  ASSERT_TRUE(sender.Send(topic, "", "no key"));
  ASSERT_TRUE(sender.Flush());
  EXPECT_EQ(sender.producer().in_flight(), 0U);
  EXPECT_EQ(sender.reports().at(0).tag, 7U);
  EXPECT_TRUE(sender.reports().at(0).ok);
  EXPECT_EQ(sender.reports().at(0).offset, 0);

  test::Reading reading(test::RealCluster());
  const auto records = reading.All(topic);
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].payload(), binary);
  EXPECT_EQ(records[0].key(), "a");
  EXPECT_EQ(records[0].Header("mqtt.topic"), "heliograph/a/data/out");
  EXPECT_EQ(records[0].Header("empty"), "");
  EXPECT_EQ(records[0].Header("none"), std::nullopt);
  EXPECT_TRUE(records[0].is_log_append_time());
  EXPECT_EQ(records[1].payload(), "");
  EXPECT_FALSE(records[1].is_tombstone()) << "an empty message is not a missing one";
  EXPECT_FALSE(records[2].has_key());
}

TEST(Producer, ChoosesThePartitionsOfJava) {
  // Utils.toPositive(Utils.murmur2(key)) % 3, by Kafka's own class.
  const std::pair<const char*, std::int32_t> cases[] = {
      {"device-1", 1}, {"device-4", 0}, {"solar-00001", 2}};
  const std::string topic = test::NewTopic(3);
  Sender sender(test::RealCluster());
  for (const auto& [key, partition] : cases) ASSERT_TRUE(sender.Send(topic, key, key));
  ASSERT_TRUE(sender.Flush());
  for (const Delivery& report : sender.reports()) {
    const auto& [key, partition] = cases[report.tag - 1];
    EXPECT_EQ(report.partition, partition) << key;
  }
}

TEST(Producer, SharesKeysOutAmongAsManyPartitionsAsItIsTold) {
  const std::string topic = test::NewTopic(3);
  Sender sender(test::RealCluster());
  ASSERT_TRUE(sender.Send(topic, "device-1", "by as many as there are"));
  ASSERT_TRUE(sender.Flush());
  for (const std::string key : {"device-1", "device-4", "solar-00001", "device-7"}) {
    ASSERT_TRUE(sender.producer().Send(
        {.topic = topic, .key = key, .payload = "x", .headers = {}, .partitions = 2}, 100));
    ASSERT_TRUE(sender.Flush());
    EXPECT_EQ(sender.reports().back().partition, PartitionOf(key, 2)) << key;
  }
  // A broker may tell of partitions that the one that was asked before does not know yet: not to be
  // taken for a record that Kafka will never take.
  const std::string key = "device-1";
  ASSERT_GE(PartitionOf(key, 50), 3);
  const base::Status refused = sender.producer().Send(
      {.topic = topic, .key = key, .payload = "x", .headers = {}, .partitions = 50}, 101);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, base::ErrorCode::kNotFound);
}

TEST(Producer, TakesTheLargestPacketAndRefusesMore) {
  const std::string topic = test::NewTopic();
  Sender sender(test::RealCluster());
  ASSERT_TRUE(sender.Send(topic, "a", std::string(1048576, 'x')));
  const base::Status refused = sender.Send(topic, "a", std::string(1048576 + 65536, 'x'));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, base::ErrorCode::kTooLarge);
  ASSERT_TRUE(sender.Flush());
  EXPECT_EQ(sender.reports().size(), 1U) << "what was refused is not reported";
  EXPECT_TRUE(sender.reports()[0].ok);
}

TEST(Producer, SaysWhenItsQueueIsFull) {
  ClusterConfig nowhere;
  nowhere.brokers = "127.0.0.1:1";
  Sender sender(nowhere, {.max_queued_bytes = 64 * 1024});
  base::Status status;
  for (int i = 0; i < 1000 && status; ++i) status = sender.Send("a", "k", std::string(1000, 'x'));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, base::ErrorCode::kUnavailable);
  EXPECT_TRUE(base::IsRetriable(status.error().code));
}

TEST(Producer, TellsWhyKafkaIsAwayAndWhenItIsBack) {
  const int port = [] {
    const MockCluster gone;  // its port is free again afterwards
    return std::stoi(gone.config().brokers.substr(gone.config().brokers.rfind(':') + 1));
  }();
  ClusterConfig nowhere;
  nowhere.brokers = "127.0.0.1:" + std::to_string(port);
  Sender away(nowhere);
  EXPECT_TRUE(WaitFor([&] {
    away.Poll();
    return away.producer().unreachable().find("refused") != std::string::npos;
  })) << away.producer().unreachable();

  const MockCluster mock;
  Sender sender(mock.config());
  const auto reachable = [&] {
    sender.Poll();
    return sender.producer().unreachable().empty();
  };
  EXPECT_TRUE(WaitFor(reachable));
  rd_kafka_mock_broker_set_down(mock.get(), 1);
  EXPECT_TRUE(WaitFor([&] { return !reachable(); }, std::chrono::seconds(5)));
  rd_kafka_mock_broker_set_up(mock.get(), 1);
  EXPECT_TRUE(WaitFor(reachable, std::chrono::seconds(5)));
}

TEST(Producer, KeepsTheOrderThroughErrorsThatPass) {
  MockCluster mock;
  mock.CreateTopic("t");
  mock.FailProduce({RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
                    RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_NO_ERROR,
                    RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, RD_KAFKA_RESP_ERR__TRANSPORT});
  Sender sender(mock.config(), {.linger = std::chrono::milliseconds(0)});
  for (const std::string& number : Numbers(1, 200)) {
    ASSERT_TRUE(sender.Send("t", "k", number));
    sender.Poll();
  }
  ASSERT_TRUE(sender.Flush(std::chrono::seconds(30)));
  ASSERT_EQ(sender.reports().size(), 200U);
  for (const Delivery& report : sender.reports()) EXPECT_TRUE(report.ok) << report.error.message;
  test::Reading reading(mock.config());
  EXPECT_EQ(reading.Payloads("t"), Numbers(1, 200));
}

// The errors that Kafka's protocol calls retriable and that a broker may give to a producer
// (kafka.apache.org/protocol, "Error Codes"): these librdkafka tries again by itself; those of
// PermanentError end the producer, and ingest makes another.
class RetriableError : public testing::TestWithParam<rd_kafka_resp_err_t> {};

TEST_P(RetriableError, CostsNoRecordAndNoOrder) {
  MockCluster mock;
  mock.CreateTopic("t");
  Sender sender(mock.config(), {.linger = std::chrono::milliseconds(0)});
  ASSERT_TRUE(sender.Send("t", "k", "1"));
  ASSERT_TRUE(sender.Flush());
  mock.FailProduce({GetParam(), RD_KAFKA_RESP_ERR_NO_ERROR, GetParam(), GetParam()});
  for (const std::string& number : Numbers(2, 50)) {
    ASSERT_TRUE(sender.Send("t", "k", number));
    sender.Poll();
  }
  ASSERT_TRUE(sender.Flush(std::chrono::seconds(30))) << sender.producer().fatal();
  for (const Delivery& report : sender.reports()) EXPECT_TRUE(report.ok) << report.error.message;
  test::Reading reading(mock.config());
  EXPECT_EQ(reading.Payloads("t"), Numbers(1, 50));
}

INSTANTIATE_TEST_SUITE_P(
    Producer, RetriableError,
    testing::Values(RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
                    RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
                    RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE,
                    RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                    RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
                    RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR),
    [](const auto& error) { return std::string(rd_kafka_err2name(error.param)); });

TEST(Producer, LeavesNoGapBehindARecordThatKafkaRefuses) {
  MockCluster mock;
  mock.CreateTopic("t");
  Sender sender(mock.config(), {.linger = std::chrono::milliseconds(0)});
  ASSERT_TRUE(sender.Send("t", "k", "1"));
  ASSERT_TRUE(sender.Flush());
  mock.FailProduce({RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED});
  for (const std::string& number : Numbers(2, 100)) {
    const base::Status sent = sender.Send("t", "k", number);
    if (!sent) break;  // it has ended
    sender.Poll();
  }
  EXPECT_TRUE(WaitFor([&] {
    sender.Poll();
    return !sender.producer().fatal().empty();
  })) << "the producer must end rather than go on behind the gap";
  sender.Destroy();
  test::Reading reading(mock.config());
  EXPECT_THAT(reading.Payloads("t"), ElementsAre("1")) << "nothing after the refused record";
  std::size_t failed = 0;
  for (const Delivery& report : sender.reports()) failed += report.ok ? 0 : 1;
  EXPECT_EQ(failed, sender.reports().size() - 1) << "and every record is reported";
}

// The other ones that the protocol calls retriable. What follows the refused record is not looked
// at: a real broker refuses a sequence number with a gap before it, the mock does not.
class PermanentError : public testing::TestWithParam<rd_kafka_resp_err_t> {};

TEST_P(PermanentError, EndsTheProducer) {
  MockCluster mock;
  mock.CreateTopic("t");
  Sender sender(mock.config(), {.linger = std::chrono::milliseconds(0)});
  ASSERT_TRUE(sender.Send("t", "k", "1"));
  ASSERT_TRUE(sender.Flush());
  mock.FailProduce({GetParam()});
  ASSERT_TRUE(sender.Send("t", "k", "2"));
  EXPECT_TRUE(WaitFor([&] {
    sender.Poll();
    return !sender.producer().fatal().empty();
  }));
  EXPECT_FALSE(sender.Send("t", "k", "3"));
  sender.Destroy();
  ASSERT_EQ(sender.reports().size(), 2U);
  EXPECT_FALSE(sender.reports()[1].ok);
  test::Reading reading(mock.config());
  EXPECT_THAT(reading.Payloads("t"), ElementsAre("1"));
}

INSTANTIATE_TEST_SUITE_P(
    Producer, PermanentError,
    testing::Values(RD_KAFKA_RESP_ERR_INVALID_MSG, RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION,
                    RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH, RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH),
    [](const auto& error) { return std::string(rd_kafka_err2name(error.param)); });

TEST(Producer, ReportsWhatItGivesUp) {
  ClusterConfig nowhere;
  nowhere.brokers = "127.0.0.1:1";
  Sender sender(nowhere);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(sender.Send("t", "k", "x"));
  EXPECT_FALSE(sender.Flush(std::chrono::milliseconds(50)));
  EXPECT_EQ(sender.producer().in_flight(), 3U);
  sender.Destroy();
  ASSERT_EQ(sender.reports().size(), 3U);
  for (const Delivery& report : sender.reports()) {
    EXPECT_FALSE(report.ok);
    EXPECT_EQ(report.error.code, base::ErrorCode::kCancelled);
  }
}

TEST(Producer, ReportsOnAThreadOfItsOwn) {
  const std::string topic = test::NewTopic();
  std::atomic<int> delivered = 0;
  Producer producer(test::RealCluster(), {.client_id = "test-own-thread"},
                    [&](const Delivery& delivery) { delivered += delivery.ok ? 1 : 0; });
  ASSERT_TRUE(producer.Send({.topic = topic, .key = "k", .payload = "x", .headers = {}}, 1));
  EXPECT_TRUE(producer.Flush(std::chrono::seconds(20)));
  EXPECT_EQ(delivered, 1);
}

TEST(Producer, DoesNotStartWithAPropertyThatBreaksAPromise) {
  ClusterConfig cluster = test::RealCluster();
  cluster.properties["enable.idempotence"] = "false";
  try {
    const Sender sender(cluster);
    FAIL() << "it started";
  } catch (const base::StartupError& error) {
    EXPECT_THAT(error.what(), HasSubstr("enable.idempotence"));
  }
}

}  // namespace
}  // namespace heliograph::kafka
