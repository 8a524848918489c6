#include "kafka/log_reader.h"

#include <algorithm>
#include <array>

#include "kafka/client.h"
#include "kafka/queries.h"

namespace heliograph::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using TopicHandle = base::UniqueHandle<rd_kafka_topic_t, rd_kafka_topic_destroy>;

constexpr std::size_t kLeastFetchBytes = 1024 * 1024;
constexpr std::size_t kLeastFetchMaxBytes = 50 * 1024 * 1024;
constexpr std::size_t kMostRecordsAtOnce = 1000;

}  // namespace

// librdkafka's older interface, which reads a partition without a group: at a site with access
// rules this needs no right on a group that nobody is in.
class LogReader::State final : public ClientState {
 public:
  State(const ClusterConfig& cluster, const std::string& client_id, std::size_t max_message_bytes);
  ~State() { Stop(); }

  base::Status Start(const TopicPartition& partition, std::int64_t offset);
  void Stop();
  base::Result<std::vector<ConsumedRecord>> Next(std::size_t max_records, milliseconds max_wait);
  bool at_end() const { return at_end_; }
  rd_kafka_t& client() {
    rd_kafka_poll(client_.get(), 0);  // errors and statistics
    return *client_;
  }

 private:
  ClientHandle client_;
  TopicHandle topic_;  // while something is being read
  std::int32_t partition_ = -1;
  bool at_end_ = false;  // the last Next met the end of the partition
};

LogReader::State::State(const ClusterConfig& cluster, const std::string& client_id,
                        std::size_t max_message_bytes) {
  const std::size_t fetch = std::max(max_message_bytes, kLeastFetchBytes);
  const std::size_t fetch_max = std::max(fetch, kLeastFetchMaxBytes);
  ConfHandle conf =
      MakeConf(cluster,
               {{"fetch.message.max.bytes", std::to_string(fetch)},
                {"fetch.max.bytes", std::to_string(fetch_max)},
                {"receive.message.max.bytes", std::to_string(fetch_max + 1024 * 1024)},
                {"queued.max.messages.kbytes", "16384"}},
               {{"client.id", client_id},
                {"enable.auto.commit", "false"},
                {"auto.offset.reset", "error"},
                {"enable.partition.eof", "true"},
                {"allow.auto.create.topics", "false"}},
               *this);
  rd_kafka_conf_set_error_cb(conf.get(),
                             [](rd_kafka_t*, int code, const char* text, void* opaque) noexcept {
                               static_cast<ClientState*>(opaque)->reachability.OnError(
                                   static_cast<rd_kafka_resp_err_t>(code), text);
                             });
  rd_kafka_conf_set_stats_cb(
      conf.get(), [](rd_kafka_t*, char* json, std::size_t size, void* opaque) noexcept {
        static_cast<ClientState*>(opaque)->reachability.OnStatistics(std::string_view(json, size));
        return 0;
      });
  client_ = MakeClient(RD_KAFKA_CONSUMER, std::move(conf));
}

base::Status LogReader::State::Start(const TopicPartition& partition, std::int64_t offset) {
  Stop();
  TopicHandle topic(rd_kafka_topic_new(&client(), partition.topic.c_str(), nullptr));
  if (!topic || rd_kafka_consume_start(topic.get(), partition.partition, offset) != 0) {
    return ToError(rd_kafka_last_error(), "starting to read " + partition.topic);
  }
  topic_ = std::move(topic);
  partition_ = partition.partition;
  return {};
}

void LogReader::State::Stop() {
  if (topic_) rd_kafka_consume_stop(topic_.get(), partition_);
  topic_.reset();
}

base::Result<std::vector<ConsumedRecord>> LogReader::State::Next(std::size_t max_records,
                                                                 milliseconds max_wait) {
  if (!topic_) return base::MakeError(base::ErrorCode::kInternal, "nothing was started");
  rd_kafka_poll(client_.get(), 0);
  at_end_ = false;
  std::array<rd_kafka_message_t*, kMostRecordsAtOnce> messages{};
  // A batch call waits for all it was asked for; so the first alone, then what is there.
  const ssize_t first = rd_kafka_consume_batch(
      topic_.get(), partition_, static_cast<int>(max_wait.count()), messages.data(), 1);
  if (first < 0) return ToError(rd_kafka_last_error(), "reading from Kafka");
  std::size_t count = static_cast<std::size_t>(first);
  if (count == 1) {
    const ssize_t more = rd_kafka_consume_batch(topic_.get(), partition_, 0, messages.data() + 1,
                                                std::min(max_records, messages.size()) - 1);
    count += static_cast<std::size_t>(std::max<ssize_t>(more, 0));
  }
  std::vector<ConsumedRecord> records;
  records.reserve(count);
  rd_kafka_resp_err_t failure = RD_KAFKA_RESP_ERR_NO_ERROR;
  for (std::size_t i = 0; i < count; ++i) {
    ConsumedRecord record(messages[i]);
    if (messages[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      records.push_back(std::move(record));
    } else if (messages[i]->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      at_end_ = true;
    } else {
      failure = messages[i]->err;
    }
  }
  if (records.empty() && failure != RD_KAFKA_RESP_ERR_NO_ERROR)
    return ToError(failure, "reading from Kafka");
  return records;
}

LogReader::LogReader(const ClusterConfig& cluster, const std::string& client_id,
                     std::size_t max_message_bytes)
    : state_(std::make_unique<State>(cluster, client_id, max_message_bytes)) {}

LogReader::~LogReader() = default;

base::Result<Watermarks> LogReader::QueryWatermarks(const TopicPartition& partition,
                                                    milliseconds limit) {
  return kafka::QueryWatermarks(state_->client(), partition, limit);
}

base::Result<int> LogReader::PartitionCount(const std::string& topic, milliseconds limit) {
  const base::Result<TopicShape> shape = QueryShape(state_->client(), topic, limit);
  if (!shape) return shape.error();
  return shape->partitions;
}

base::Result<std::optional<ConsumedRecord>> LogReader::ReadOne(const TopicPartition& partition,
                                                               std::int64_t offset,
                                                               milliseconds limit) {
  const auto deadline = steady_clock::now() + limit;
  base::Status started = state_->Start(partition, offset);
  if (!started) return std::move(started).error();
  std::optional<ConsumedRecord> found;
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    if (left.count() <= 0) {
      state_->Stop();
      return base::MakeError(base::ErrorCode::kDeadlineExceeded,
                             "Kafka did not hand out a record in time");
    }
    base::Result<std::vector<ConsumedRecord>> records = state_->Next(1, left);
    if (!records) {
      state_->Stop();
      if (records.error().code == base::ErrorCode::kNotFound) return found;
      return std::move(records).error();
    }
    if (records->empty() && !state_->at_end()) continue;
    if (!records->empty() && records->front().offset() == offset)
      found = std::move(records->front());
    state_->Stop();
    return found;
  }
}

base::Status LogReader::Start(const TopicPartition& partition, std::int64_t offset) {
  return state_->Start(partition, offset);
}

base::Result<std::vector<ConsumedRecord>> LogReader::Next(std::size_t max_records,
                                                          milliseconds max_wait) {
  return state_->Next(max_records, max_wait);
}

std::string LogReader::unreachable() const { return state_->reachability.Reason(); }

}  // namespace heliograph::kafka
