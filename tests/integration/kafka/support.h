// What the tests against a real Kafka and against librdkafka's mock of one share.
#pragma once

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/unique_handle.h"
#include "kafka/admin.h"
#include "kafka/consumer.h"
#include "kafka/log_reader.h"
#include "kafka/producer.h"

namespace heliograph::kafka::test {

// The real one, from HELIOGRAPH_TEST_KAFKA. Throws where it is not set: a test that cannot run has
// failed.
ClusterConfig RealCluster();

// A topic that no other test uses, created with our settings on the real cluster.
std::string NewTopic(int partitions = 1, std::size_t max_message_bytes = 1048576 + 65536);
// The same name without the topic.
std::string NewName(const std::string& beginning);

// Calls `done` until it is true. False when the time is over.
bool WaitFor(const std::function<bool()>& done,
             std::chrono::milliseconds limit = std::chrono::seconds(20));

// Reads whole partitions, from the beginning to the end as it is now. Outlives the records.
class Reading {
 public:
  explicit Reading(const ClusterConfig& cluster) : reader_(cluster, "test-reading") {}
  std::vector<ConsumedRecord> All(const std::string& topic, std::int32_t partition = 0);
  // The payloads alone.
  std::vector<std::string> Payloads(const std::string& topic, std::int32_t partition = 0);

 private:
  LogReader reader_;
};

// Sends payloads to a topic one by one and collects their fates.
class Sender {
 public:
  explicit Sender(const ClusterConfig& cluster, ProducerOptions options = {});
  base::Status Send(const std::string& topic, const std::string& key, const std::string& payload);
  bool Flush(std::chrono::milliseconds limit = std::chrono::seconds(20)) {
    return producer_->Flush(limit);
  }
  Producer& producer() { return *producer_; }
  void Destroy() { producer_.reset(); }
  const std::vector<Delivery>& reports() const { return reports_; }
  void Poll();  // waits a little, then serves reports

 private:
  int wakeup_fd_;
  std::vector<Delivery> reports_;
  std::uint64_t next_tag_ = 1;
  std::unique_ptr<Producer> producer_;
};

// librdkafka's mock of a cluster, for errors that a real one gives only when it is ill.
class MockCluster {
 public:
  explicit MockCluster(int brokers = 1);
  ClusterConfig config() const;
  rd_kafka_mock_cluster_t* get() const { return cluster_.get(); }
  void CreateTopic(const std::string& name, int partitions = 1);
  // The next produce requests are answered with these.
  void FailProduce(const std::vector<rd_kafka_resp_err_t>& errors);

 private:
  base::UniqueHandle<rd_kafka_t, rd_kafka_destroy> owner_;
  base::UniqueHandle<rd_kafka_mock_cluster_t, rd_kafka_mock_cluster_destroy> cluster_;
};

}  // namespace heliograph::kafka::test
