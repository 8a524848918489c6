#include "kafka/producer.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include "base/thread_name.h"
#include "kafka/client.h"
#include "kafka/partitions.h"

namespace heliograph::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using TopicHandle = base::UniqueHandle<rd_kafka_topic_t, rd_kafka_topic_destroy>;
using EventHandle = base::UniqueHandle<rd_kafka_event_t, rd_kafka_event_destroy>;
using HeadersHandle = base::UniqueHandle<rd_kafka_headers_t, rd_kafka_headers_destroy>;

// After a purge the reports come from librdkafka's own threads at once; this is only a bound.
constexpr milliseconds kPurgeLimit{2000};
constexpr milliseconds kPollInterval{100};

Properties Essential(const ProducerOptions& options) {
  Properties properties = {
      {"client.id", options.client_id},
      {"enable.idempotence", "true"},
      {"acks", "all"},
      // One: what comes while a request is under way leaves together in the next, so batches grow
      // with the load by themselves. Measured: half of the sender's CPU against five, at no loss of
      // speed.
      {"max.in.flight.requests.per.connection", "1"},
      {"partitioner", "murmur2_random"},
      {"message.max.bytes", std::to_string(options.max_message_bytes)},
      {"message.timeout.ms", std::to_string(options.message_timeout.count())},
      {"queue.buffering.max.kbytes",
       std::to_string(std::max<std::size_t>(options.max_queued_bytes / 1024, 1))},
      {"queue.buffering.max.messages", "1000000"},  // bytes are the limit
  };
  if (options.message_timeout == milliseconds(0)) {
    properties.emplace_back("enable.gapless.guarantee", "true");
  }
  return properties;
}

}  // namespace

class Producer::State final : public ClientState {
 public:
  State(const ClusterConfig& cluster, const ProducerOptions& options, DeliveryCallback on_delivery);
  ~State();

  base::Status Send(const Record& record, std::uint64_t tag);
  std::size_t Serve(std::size_t most, milliseconds first_wait);
  bool Flush(milliseconds limit);
  std::size_t in_flight() const { return in_flight_.load(std::memory_order_relaxed); }
  std::string fatal() const;

 private:
  rd_kafka_topic_t* Topic(std::string_view name);
  std::size_t Handle(rd_kafka_event_t* event);
  void Report(const rd_kafka_message_t& message);
  bool ServeUntilEmpty(steady_clock::time_point deadline);

  const DeliveryCallback on_delivery_;
  std::vector<std::pair<std::string, TopicHandle>> topics_;  // emptied before client_ ends
  std::atomic<std::size_t> in_flight_{0};
  ClientHandle client_;
  QueueHandle queue_;
  std::jthread thread_;  // last: it uses the rest
};

Producer::State::State(const ClusterConfig& cluster, const ProducerOptions& options,
                       DeliveryCallback on_delivery)
    : on_delivery_(std::move(on_delivery)) {
  ConfHandle conf = MakeConf(cluster,
                             {{"compression.codec", "lz4"},
                              {"linger.ms", std::to_string(options.linger.count())},
                              {"retry.backoff.ms", "100"}},
                             Essential(options), *this);
  rd_kafka_conf_set_events(conf.get(),
                           RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_STATS);
  client_ = MakeClient(RD_KAFKA_PRODUCER, std::move(conf));
  queue_.reset(rd_kafka_queue_get_main(client_.get()));
  if (options.wakeup_fd >= 0) {
    const std::uint64_t one = 1;  // what an eventfd takes
    rd_kafka_queue_io_event_enable(queue_.get(), options.wakeup_fd, &one, sizeof one);
    return;
  }
  thread_ = std::jthread([this](const std::stop_token& stop) {
    base::NameThisThread("kafka-reports");
    while (!stop.stop_requested()) Serve(SIZE_MAX, kPollInterval);
  });
}

Producer::State::~State() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
  rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  ServeUntilEmpty(steady_clock::now() + kPurgeLimit);
  rd_kafka_queue_io_event_enable(queue_.get(), -1, nullptr, 0);
  topics_.clear();  // before the client that they belong to
}

rd_kafka_topic_t* Producer::State::Topic(std::string_view name) {
  for (const auto& [known, handle] : topics_) {
    if (known == name) return handle.get();
  }
  std::string owned(name);
  TopicHandle handle(rd_kafka_topic_new(client_.get(), owned.c_str(), nullptr));
  if (!handle) return nullptr;
  return topics_.emplace_back(std::move(owned), std::move(handle)).second.get();
}

base::Status Producer::State::Send(const Record& record, std::uint64_t tag) {
  rd_kafka_topic_t* topic = Topic(record.topic);
  if (topic == nullptr) {
    return base::MakeError(base::ErrorCode::kInvalidArgument,
                           "not a Kafka topic: " + std::string(record.topic));
  }
  HeadersHandle headers;
  if (!record.headers.empty()) {
    headers.reset(rd_kafka_headers_new(record.headers.size()));
    for (const Header& header : record.headers) {
      rd_kafka_header_add(headers.get(), header.name.data(),
                          static_cast<ssize_t>(header.name.size()), header.value.data(),
                          static_cast<ssize_t>(header.value.size()));
    }
  }
  in_flight_.fetch_add(1, std::memory_order_relaxed);
  // librdkafka does not write to key and payload; its signature is older than const. An empty
  // payload must not be null, which would make it a tombstone.
  void* key = record.key.empty() ? nullptr : const_cast<char*>(record.key.data());
  void* payload =
      record.payload.empty() ? const_cast<char*>("") : const_cast<char*>(record.payload.data());
  const std::int32_t partition = record.partitions > 0 && key != nullptr
                                     ? PartitionOf(record.key, record.partitions)
                                     : RD_KAFKA_PARTITION_UA;
  const rd_kafka_resp_err_t code = rd_kafka_producev(
      client_.get(), RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(partition),
      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key, record.key.size()),
      RD_KAFKA_V_VALUE(payload, record.payload.size()), RD_KAFKA_V_HEADERS(headers.get()),
      RD_KAFKA_V_OPAQUE(reinterpret_cast<void*>(static_cast<std::uintptr_t>(tag))), RD_KAFKA_V_END);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
    (void)headers.release();
    return {};
  }
  in_flight_.fetch_sub(1, std::memory_order_relaxed);
  return ToError(code, "handing a record to Kafka's client");
}

std::size_t Producer::State::Serve(std::size_t most, milliseconds first_wait) {
  std::size_t reports = 0;
  int wait_ms = static_cast<int>(first_wait.count());
  while (reports < most) {
    const EventHandle event(rd_kafka_queue_poll(queue_.get(), wait_ms));
    if (!event) break;
    reports += Handle(event.get());
    wait_ms = 0;
  }
  return reports;
}

std::size_t Producer::State::Handle(rd_kafka_event_t* event) {
  switch (rd_kafka_event_type(event)) {
    case RD_KAFKA_EVENT_DR: {
      if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR) reachability.OnAnswer();
      std::size_t count = 0;
      while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event)) {
        Report(*message);
        ++count;
      }
      return count;
    }
    case RD_KAFKA_EVENT_ERROR:
      reachability.OnError(rd_kafka_event_error(event), rd_kafka_event_error_string(event));
      return 0;
    case RD_KAFKA_EVENT_STATS:
      reachability.OnStatistics(rd_kafka_event_stats(event));
      return 0;
    default:
      return 0;
  }
}

void Producer::State::Report(const rd_kafka_message_t& message) {
  Delivery delivery;
  delivery.tag = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(message._private));
  delivery.ok = message.err == RD_KAFKA_RESP_ERR_NO_ERROR;
  delivery.partition = message.partition;
  delivery.offset = message.offset;
  if (!delivery.ok) delivery.error = ToError(message.err, "Kafka has not taken a record");
  in_flight_.fetch_sub(1, std::memory_order_relaxed);
  on_delivery_(delivery);
}

std::string Producer::State::fatal() const {
  std::array<char, 512> why{};
  const rd_kafka_resp_err_t cause = rd_kafka_fatal_error(client_.get(), why.data(), why.size());
  if (cause == RD_KAFKA_RESP_ERR_NO_ERROR) return "";
  return std::string(why.data()) + " (" + rd_kafka_err2name(cause) + ")";
}

bool Producer::State::ServeUntilEmpty(steady_clock::time_point deadline) {
  while (in_flight() > 0) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    if (left.count() <= 0) return false;
    Serve(1, std::min(left, kPollInterval));
  }
  return true;
}

bool Producer::State::Flush(milliseconds limit) {
  const auto deadline = steady_clock::now() + limit;
  if (!thread_.joinable()) return ServeUntilEmpty(deadline);
  while (in_flight() > 0 && steady_clock::now() < deadline) {
    std::this_thread::sleep_for(milliseconds(1));  // at shutdown and in tools only
  }
  return in_flight() == 0;
}

Producer::Producer(const ClusterConfig& cluster, const ProducerOptions& options,
                   DeliveryCallback on_delivery)
    : state_(std::make_unique<State>(cluster, options, std::move(on_delivery))) {}

Producer::~Producer() = default;

base::Status Producer::Send(const Record& record, std::uint64_t tag) {
  return state_->Send(record, tag);
}

std::size_t Producer::Poll(std::size_t most) { return state_->Serve(most, milliseconds(0)); }

bool Producer::Flush(milliseconds limit) { return state_->Flush(limit); }

std::size_t Producer::in_flight() const { return state_->in_flight(); }

std::string Producer::fatal() const { return state_->fatal(); }

std::string Producer::unreachable() const { return state_->reachability.Reason(); }

}  // namespace heliograph::kafka
