#include "integration/kafka/support.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include "base/uuid.h"

namespace heliograph::kafka::test {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

ClusterConfig RealCluster() {
  const char* brokers = std::getenv("HELIOGRAPH_TEST_KAFKA");
  if (brokers == nullptr) {
    throw std::runtime_error(
        "HELIOGRAPH_TEST_KAFKA is not set: run ./dev test, or ./dev servers FOLDER");
  }
  ClusterConfig cluster;
  cluster.brokers = brokers;
  return cluster;
}

std::string NewName(const std::string& beginning) { return beginning + "-" + base::NewUuid(); }

std::string NewTopic(int partitions, std::size_t max_message_bytes) {
  Admin admin(RealCluster(), "test-admin");
  const TopicPlan plan{.spec = {NewName("test"), partitions, 1},
                       .max_message_bytes = max_message_bytes};
  const auto report =
      EnsureTopics(admin, std::span(&plan, 1), MissingTopics::kCreate, std::chrono::seconds(10));
  if (!report) throw std::runtime_error(report.error().message);
  return plan.spec.name;
}

bool WaitFor(const std::function<bool()>& done, milliseconds limit) {
  const auto deadline = steady_clock::now() + limit;
  while (!done()) {
    if (steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(milliseconds(2));
  }
  return true;
}

std::vector<ConsumedRecord> Reading::All(const std::string& topic, std::int32_t partition) {
  const TopicPartition where{topic, partition};
  const auto ends = reader_.QueryWatermarks(where, std::chrono::seconds(10));
  if (!ends) throw std::runtime_error(ends.error().message);
  std::vector<ConsumedRecord> all;
  if (ends->begin == ends->end) return all;
  if (const auto started = reader_.Start(where, ends->begin); !started) {
    throw std::runtime_error(started.error().message);
  }
  const auto deadline = steady_clock::now() + std::chrono::seconds(30);
  while ((all.empty() || all.back().offset() + 1 < ends->end) && steady_clock::now() < deadline) {
    auto records = reader_.Next(1000, milliseconds(100));
    if (!records) throw std::runtime_error(records.error().message);
    std::move(records->begin(), records->end(), std::back_inserter(all));
  }
  return all;
}

std::vector<std::string> Reading::Payloads(const std::string& topic, std::int32_t partition) {
  std::vector<std::string> payloads;
  for (const ConsumedRecord& record : All(topic, partition))
    payloads.emplace_back(record.payload());
  return payloads;
}

Sender::Sender(const ClusterConfig& cluster, ProducerOptions options)
    : wakeup_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  options.client_id = "test-sender";
  options.wakeup_fd = wakeup_fd_;
  producer_ = std::make_unique<Producer>(
      cluster, options, [this](const Delivery& delivery) { reports_.push_back(delivery); });
}

base::Status Sender::Send(const std::string& topic, const std::string& key,
                          const std::string& payload) {
  return producer_->Send(Record{.topic = topic, .key = key, .payload = payload, .headers = {}},
                         next_tag_++);
}

void Sender::Poll() {
  pollfd waiting{.fd = wakeup_fd_, .events = POLLIN, .revents = 0};
  (void)poll(&waiting, 1, 50);
  std::uint64_t count = 0;
  (void)!read(wakeup_fd_, &count, sizeof count);
  producer_->Poll();
}

MockCluster::MockCluster(int brokers) {
  std::array<char, 256> why{};
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  owner_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf, why.data(), why.size()));
  if (!owner_) throw std::runtime_error(why.data());
  cluster_.reset(rd_kafka_mock_cluster_new(owner_.get(), brokers));
}

ClusterConfig MockCluster::config() const {
  ClusterConfig cluster;
  cluster.brokers = rd_kafka_mock_cluster_bootstraps(cluster_.get());
  return cluster;
}

void MockCluster::CreateTopic(const std::string& name, int partitions) {
  rd_kafka_mock_topic_create(cluster_.get(), name.c_str(), partitions, 1);
}

void MockCluster::FailProduce(const std::vector<rd_kafka_resp_err_t>& errors) {
  constexpr std::int16_t kProduceRequest = 0;
  rd_kafka_mock_push_request_errors_array(cluster_.get(), kProduceRequest, errors.size(),
                                          errors.data());
}

}  // namespace heliograph::kafka::test
