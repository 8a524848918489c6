// Follows one topic as a member of a consumer group: records in batches, each batch in one
// transaction together with the offset after it. docs/ARCHITECTURE.md, "How the recorder keeps
// promises 4 and 5".
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "base/clock.h"
#include "kafka/consumer.h"
#include "kafka/log_reader.h"
#include "log/log.h"
#include "postgres/pool.h"
#include "recorder/applier.h"
#include "recorder/assignment.h"
#include "recorder/config.h"
#include "recorder/dead_letters.h"
#include "recorder/mapping_gate.h"
#include "recorder/meters.h"
#include "recorder/publisher.h"
#include "recorder/slicer.h"

namespace heliograph::recorder {

struct FollowerOptions {
  std::string topic;
  Missing missing = Missing::kStay;
  kafka::ClusterConfig cluster;
  kafka::ConsumerOptions consumer;
  BatchConfig batch;
  // Whether a device's records are applied in order also where the topic gets more partitions.
  bool order_across_partitions = false;
};

// Threads: Run on one thread, for the whole life; status() on any.
class Follower {
 public:
  struct Parts {
    postgres::Pool& pool;
    Applier& applier;
    Publisher& publisher;
    DeadLetters& dead_letters;
    Meters& meters;
  };
  Follower(const FollowerOptions& options, Parts parts);  // throws StartupError

  // Until stop. Throws only what cannot be coped with, std::bad_alloc and the like.
  void Run(const std::stop_token& stop);

  // Each "" or one sentence about what is wrong.
  struct Status {
    std::string kafka;
    std::string log;    // a partition that cannot be read
    std::string state;  // a batch that cannot be committed
  };
  Status status() const;

 private:
  struct Pending {
    kafka::ConsumedRecord record;
    std::uint64_t epoch;  // Assignment's, when it was read
  };
  enum class Outcome { kCommitted, kRetry, kRefused, kRestarted };

  void OpenConsumer();
  void Read();
  void TakeRecords(std::vector<kafka::ConsumedRecord> records);
  void OnReadError(const base::Error& error);
  void Admit(Pending pending);
  void DropStale();
  void SetPaused(bool paused);
  std::vector<kafka::TopicPartition> Behind() const;
  void OpenGates();

  void Work();
  Outcome TrySlice(std::size_t size);
  std::size_t SliceSize() const;
  bool PrepareSlice(std::size_t size);
  bool TellRefused(std::vector<Refusal> refused);
  Outcome Fail(const base::Error& error);
  Outcome FailForLetters();
  Outcome ApplySlice();
  Outcome CheckFence(postgres::Transaction& transaction);
  std::vector<postgres::OffsetAdvance> Advances() const;
  std::string KafkaTrouble() const;
  std::string LogTrouble() const;
  void Keep(Status status);

  const FollowerOptions options_;
  const Parts parts_;
  const log::Logger log_{"recorder"};
  log::RateLimit failure_limit_{std::chrono::seconds(10)};
  log::RateLimit read_limit_{std::chrono::seconds(30)};
  kafka::LogReader reader_;
  Assignment assignment_;
  std::unique_ptr<kafka::Consumer> consumer_;
  // Two processes of one name throw each other out of the group: not at a pace that stops the work.
  // Once alone, it may also be Kafka that has restarted and lost our place: then soon again.
  base::Backoff consumer_backoff_{std::chrono::seconds(1), std::chrono::minutes(10)};
  base::SteadyTime consumer_opened_at_{};
  base::SteadyTime consumer_again_at_{};
  std::string consumer_trouble_;
  base::SteadyTime suspect_again_at_{};

  std::deque<Pending> pending_;  // read, not committed; dies before consumer_
  MappingGate gate_;
  std::deque<Pending> behind_;  // read, and waiting at the gate; as pending_
  bool paused_ = false;
  std::vector<kafka::TopicPartition> paused_behind_;
  Slicer slicer_;
  base::Backoff backoff_{std::chrono::milliseconds(50), std::chrono::milliseconds(2000)};
  base::SteadyTime retry_at_{};
  std::string failure_;  // of the batch at hand

  // The slice at hand: the first of pending_.
  std::vector<Record> records_;
  bool prepared_ = false;
  std::optional<std::string> condemned_;          // why its one record is left out
  std::set<std::size_t> told_;                    // which of records_ have a dead letter already
  std::vector<std::shared_ptr<Ticket>> letters_;  // of those

  base::SteadyTime check_at_{};
  mutable std::mutex mutex_;
  Status status_;  // guarded by mutex_
};

}  // namespace heliograph::recorder
