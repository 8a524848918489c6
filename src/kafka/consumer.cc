#include "kafka/consumer.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "base/startup_error.h"
#include "kafka/client.h"
#include "kafka/queries.h"

namespace heliograph::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kAskAgainAfter{1000};
constexpr std::size_t kLeastFetchBytes = 1024 * 1024;  // librdkafka's defaults
constexpr std::size_t kLeastFetchMaxBytes = 50 * 1024 * 1024;

Properties Defaults(const ConsumerOptions& options) {
  const std::size_t fetch = std::max(options.max_message_bytes, kLeastFetchBytes);
  const std::size_t fetch_max = std::max(fetch, kLeastFetchMaxBytes);
  return {
      {"fetch.message.max.bytes", std::to_string(fetch)},
      {"fetch.max.bytes", std::to_string(fetch_max)},
      {"receive.message.max.bytes", std::to_string(fetch_max + 1024 * 1024)},
      {"queued.max.messages.kbytes",
       std::to_string(std::max<std::size_t>(options.max_queued_bytes / 1024, 1))},
      {"session.timeout.ms", std::to_string(options.session_timeout.count())},
      {"heartbeat.interval.ms", std::to_string(options.session_timeout.count() / 4)},
      // A partition whose leader moved or that got nothing is asked for again soon.
      {"fetch.error.backoff.ms", "200"},
  };
}

Properties Essential(const ConsumerOptions& options) {
  Properties properties = {
      {"client.id", options.client_id},
      {"group.id", options.group_id},
      {"partition.assignment.strategy", "range"},  // cooperative-sticky hangs in this version
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"auto.offset.reset",
       "error"},  // where to start is always said; a silent jump would lose records
      {"isolation.level", "read_committed"},
      {"allow.auto.create.topics", "false"},
  };
  if (!options.group_instance_id.empty()) {
    properties.emplace_back("group.instance.id", options.group_instance_id);
  }
  return properties;
}

}  // namespace

class Consumer::State final : public ClientState {
 public:
  State(const ClusterConfig& cluster, const ConsumerOptions& options,
        const std::vector<std::string>& topics, RebalanceListener& listener);
  ~State();

  base::Result<std::vector<ConsumedRecord>> Poll(std::size_t max_records, milliseconds max_wait);
  base::Status SetPaused(std::span<const TopicPartition> partitions, bool paused);
  base::Status Seek(const TopicPartition& partition, std::int64_t offset);
  std::vector<TopicPartition> Assigned() const;
  bool joined() const { return joined_; }
  rd_kafka_t* client() const { return client_.get(); }

 private:
  // What is known of a partition that the group gave us.
  struct Owned {
    bool started = false;  // its start is known, so librdkafka reads it
    std::int64_t next =
        0;  // the least offset that may be handed out next; or kOffsetBeginning, kOffsetEnd
    bool paused = false;
    bool out_of_range = false;  // paused by us, because of that
  };

  static void OnRebalance(rd_kafka_t* client, rd_kafka_resp_err_t code,
                          rd_kafka_topic_partition_list_t* list, void* opaque) noexcept;
  static void OnClientError(rd_kafka_t* client, int code, const char* text, void* opaque) noexcept;
  static int OnStatistics(rd_kafka_t* client, char* json, std::size_t size, void* opaque) noexcept;

  void TakeOver(const rd_kafka_topic_partition_list_t& list);
  void GiveUp(bool lost);
  void AskForStarts();
  void Assign();
  void Take(rd_kafka_message_t* message);
  void TakeFailure(const rd_kafka_message_t& message);
  void LookForFatalError();
  Owned* Find(const rd_kafka_message_t& message);

  RebalanceListener& listener_;
  std::map<TopicPartition, Owned> owned_;
  bool joined_ = false;
  std::vector<ConsumedRecord> batch_;  // of the Poll that is running
  std::optional<base::Error> error_;   // to be told by the next Poll
  std::optional<base::Error> fatal_;   // told by every Poll
  steady_clock::time_point ask_again_{};
  // The partition of the record before, since records come in runs; cleared at a rebalance.
  const rd_kafka_topic_t* found_topic_ = nullptr;
  std::int32_t found_partition_ = -1;
  Owned* found_ = nullptr;
  ClientHandle client_;  // last: its callbacks use the rest
};

Consumer::State::State(const ClusterConfig& cluster, const ConsumerOptions& options,
                       const std::vector<std::string>& topics, RebalanceListener& listener)
    : listener_(listener) {
  ConfHandle conf = MakeConf(cluster, Defaults(options), Essential(options), *this);
  rd_kafka_conf_set_rebalance_cb(conf.get(), OnRebalance);
  rd_kafka_conf_set_error_cb(conf.get(), OnClientError);
  rd_kafka_conf_set_stats_cb(conf.get(), OnStatistics);
  client_ = MakeClient(RD_KAFKA_CONSUMER, std::move(conf));
  rd_kafka_poll_set_consumer(client_.get());
  const PartitionListHandle list(
      rd_kafka_topic_partition_list_new(static_cast<int>(topics.size())));
  for (const std::string& topic : topics) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
  }
  const rd_kafka_resp_err_t code = rd_kafka_subscribe(client_.get(), list.get());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    throw base::StartupError(std::string("cannot subscribe to Kafka topics: ") +
                             rd_kafka_err2str(code));
  }
}

Consumer::State::~State() { rd_kafka_consumer_close(client_.get()); }

void Consumer::State::OnRebalance(rd_kafka_t* client, rd_kafka_resp_err_t code,
                                  rd_kafka_topic_partition_list_t* list, void* opaque) noexcept {
  auto& state = *static_cast<State*>(static_cast<ClientState*>(opaque));
  if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    state.TakeOver(*list);
  } else {
    state.GiveUp(rd_kafka_assignment_lost(client) != 0);
  }
}

void Consumer::State::OnClientError(rd_kafka_t* /*client*/, int code, const char* text,
                                    void* opaque) noexcept {
  auto& state = *static_cast<State*>(static_cast<ClientState*>(opaque));
  const auto error = static_cast<rd_kafka_resp_err_t>(code);
  state.reachability.OnError(error, text);
}

// Asked rather than heard: that a static member was fenced did not reach the callback for errors
// (seen with 2.0.2), and the consumer stood still without a word.
void Consumer::State::LookForFatalError() {
  std::array<char, 512> why{};
  const rd_kafka_resp_err_t cause = rd_kafka_fatal_error(client_.get(), why.data(), why.size());
  if (cause == RD_KAFKA_RESP_ERR_NO_ERROR) return;
  fatal_ = base::MakeError(base::ErrorCode::kConflict, std::string("the consumer cannot go on: ") +
                                                           why.data() + " (" +
                                                           rd_kafka_err2name(cause) + ")");
}

int Consumer::State::OnStatistics(rd_kafka_t* /*client*/, char* json, std::size_t size,
                                  void* opaque) noexcept {
  static_cast<ClientState*>(opaque)->reachability.OnStatistics(std::string_view(json, size));
  return 0;  // librdkafka frees the text
}

void Consumer::State::TakeOver(const rd_kafka_topic_partition_list_t& list) {
  owned_.clear();
  joined_ = true;
  found_ = nullptr;
  for (int i = 0; i < list.cnt; ++i) {
    owned_[TopicPartition{list.elems[i].topic, list.elems[i].partition}];
  }
  ask_again_ = steady_clock::time_point{};
  AskForStarts();
  Assign();  // also when nothing is started: it tells librdkafka that the rebalance is done
}

void Consumer::State::GiveUp(bool lost) {
  const std::vector<TopicPartition> partitions = Assigned();
  (void)SetPaused(partitions, false);  // what comes back is not paused
  owned_.clear();
  joined_ = false;
  found_ = nullptr;
  batch_.clear();  // all of it was from partitions that are no longer ours: `range` revokes
                   // everything
  rd_kafka_assign(client_.get(), nullptr);
  if (!partitions.empty()) listener_.OnRevoked(partitions, lost);
}

// Precondition: the caller calls Assign when something was started.
void Consumer::State::AskForStarts() {
  if (steady_clock::now() < ask_again_) return;
  ask_again_ = steady_clock::now() + kAskAgainAfter;
  for (auto& [partition, owned] : owned_) {
    if (owned.started) continue;
    const base::Result<std::int64_t> start = listener_.StartOf(partition);
    if (!start) {
      logger.Warn(log_limit, "partition waits for its start",
                  {{"topic", partition.topic},
                   {"partition", partition.partition},
                   {"error", start.error().message}});
      continue;
    }
    owned.started = true;
    owned.next = *start;
  }
}

// librdkafka reads exactly what is started, each partition from its next offset on.
void Consumer::State::Assign() {
  const PartitionListHandle list(
      rd_kafka_topic_partition_list_new(static_cast<int>(owned_.size())));
  const PartitionListHandle paused(rd_kafka_topic_partition_list_new(1));
  for (const auto& [partition, owned] : owned_) {
    if (!owned.started) continue;
    rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition)
        ->offset = owned.next;
    if (owned.paused) {
      rd_kafka_topic_partition_list_add(paused.get(), partition.topic.c_str(), partition.partition);
    }
  }
  const rd_kafka_resp_err_t code = rd_kafka_assign(client_.get(), list.get());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) error_ = ToError(code, "cannot take over partitions");
  if (paused->cnt > 0) rd_kafka_pause_partitions(client_.get(), paused.get());
}

base::Result<std::vector<ConsumedRecord>> Consumer::State::Poll(std::size_t max_records,
                                                                milliseconds max_wait) {
  const auto waits = [](const auto& entry) { return !entry.second.started; };
  if (std::any_of(owned_.begin(), owned_.end(), waits) && steady_clock::now() >= ask_again_) {
    AskForStarts();
    Assign();
  }
  const auto deadline = steady_clock::now() + max_wait;
  batch_.clear();
  while (batch_.size() < max_records && !error_ && !fatal_) {
    int timeout_ms = 0;
    if (batch_.empty()) {
      const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
      timeout_ms = static_cast<int>(std::max<std::int64_t>(left.count(), 0));
    }
    rd_kafka_message_t* message = rd_kafka_consumer_poll(client_.get(), timeout_ms);
    if (message == nullptr) break;
    Take(message);
  }
  if (!batch_.empty()) {
    reachability.OnAnswer();
    return std::exchange(batch_, {});
  }
  if (!fatal_) LookForFatalError();
  if (fatal_) return *fatal_;
  if (error_) return *std::exchange(error_, std::nullopt);
  return std::vector<ConsumedRecord>();
}

void Consumer::State::Take(rd_kafka_message_t* message) {
  ConsumedRecord record(message);
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    TakeFailure(*message);
    return;
  }
  Owned* owned = Find(*message);
  // Fetched for an assignment or a place that is no longer the current one.
  if (owned == nullptr || !owned->started || message->offset < owned->next) return;
  owned->next = message->offset + 1;
  batch_.push_back(std::move(record));
}

void Consumer::State::TakeFailure(const rd_kafka_message_t& message) {
  const bool out_of_range = message.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
                            message.err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE;
  if (out_of_range && message.rkt != nullptr) {
    const TopicPartition partition{rd_kafka_topic_name(message.rkt), message.partition};
    if (owned_.contains(partition)) {
      (void)SetPaused(std::span(&partition, 1), true);
      owned_[partition].out_of_range = true;
      listener_.OnOffsetOutOfRange(partition, rd_kafka_message_errstr(&message));
    }
    return;
  }
  if (message.err == RD_KAFKA_RESP_ERR__FATAL) return LookForFatalError();
  error_ = base::MakeError(ToErrorCode(message.err), std::string("reading from Kafka: ") +
                                                         rd_kafka_message_errstr(&message) + " (" +
                                                         rd_kafka_err2name(message.err) + ")");
}

Consumer::State::Owned* Consumer::State::Find(const rd_kafka_message_t& message) {
  if (found_ != nullptr && message.rkt == found_topic_ && message.partition == found_partition_) {
    return found_;
  }
  const auto at = owned_.find(TopicPartition{rd_kafka_topic_name(message.rkt), message.partition});
  if (at == owned_.end()) return nullptr;
  found_topic_ = message.rkt;
  found_partition_ = message.partition;
  found_ = &at->second;
  return found_;
}

base::Status Consumer::State::SetPaused(std::span<const TopicPartition> partitions, bool paused) {
  const PartitionListHandle list(
      rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const TopicPartition& partition : partitions) {
    const auto at = owned_.find(partition);
    // To resume what is not paused makes librdkafka 2.0.2 throw away what it has fetched, and go on
    // behind it (later versions ignore it).
    if (at == owned_.end() || at->second.paused == paused) continue;
    at->second.paused = paused;
    if (!at->second.started) continue;
    rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition);
  }
  if (list->cnt == 0) return {};
  const rd_kafka_resp_err_t code = paused ? rd_kafka_pause_partitions(client_.get(), list.get())
                                          : rd_kafka_resume_partitions(client_.get(), list.get());
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  return ToError(code, paused ? "cannot pause partitions" : "cannot resume partitions");
}

base::Status Consumer::State::Seek(const TopicPartition& partition, std::int64_t offset) {
  const auto at = owned_.find(partition);
  if (at == owned_.end()) {
    return base::MakeError(base::ErrorCode::kConflict,
                           "the partition is not assigned to this process");
  }
  Owned& owned = at->second;
  if (owned.out_of_range)
    (void)SetPaused(std::span(&partition, 1), false);  // an assignment does not end a pause
  owned.started = true;
  owned.next = offset;
  owned.out_of_range = false;
  // A new assignment rather than rd_kafka_seek: it cannot fail half-way, and what was fetched for
  // the old place is discarded with it. The other partitions go on from where Poll stopped.
  Assign();
  return {};
}

std::vector<TopicPartition> Consumer::State::Assigned() const {
  std::vector<TopicPartition> partitions;
  partitions.reserve(owned_.size());
  for (const auto& [partition, owned] : owned_) partitions.push_back(partition);
  return partitions;
}

Consumer::Consumer(const ClusterConfig& cluster, const ConsumerOptions& options,
                   const std::vector<std::string>& topics, RebalanceListener& listener)
    : state_(std::make_unique<State>(cluster, options, topics, listener)) {}

Consumer::~Consumer() = default;

base::Result<std::vector<ConsumedRecord>> Consumer::Poll(std::size_t max_records,
                                                         milliseconds max_wait) {
  return state_->Poll(max_records, max_wait);
}

base::Status Consumer::Pause(std::span<const TopicPartition> partitions) {
  return state_->SetPaused(partitions, true);
}

base::Status Consumer::Resume(std::span<const TopicPartition> partitions) {
  return state_->SetPaused(partitions, false);
}

base::Status Consumer::Seek(const TopicPartition& partition, std::int64_t offset) {
  return state_->Seek(partition, offset);
}

std::vector<TopicPartition> Consumer::Assigned() const { return state_->Assigned(); }

base::Result<Watermarks> Consumer::QueryWatermarks(const TopicPartition& partition,
                                                   milliseconds limit) {
  return kafka::QueryWatermarks(*state_->client(), partition, limit);
}

bool Consumer::joined() const { return state_->joined(); }

std::string Consumer::unreachable() const { return state_->reachability.Reason(); }

}  // namespace heliograph::kafka
