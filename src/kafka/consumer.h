// Reads topics as a member of a group. Offsets are the caller's business (PostgreSQL); none is
// committed to Kafka.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "kafka/config.h"
#include "kafka/record.h"

namespace heliograph::kafka {

struct TopicPartition {
  std::string topic;
  std::int32_t partition = 0;
  friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
};

// Where to start, beside an offset.
inline constexpr std::int64_t kOffsetBeginning = -2;
inline constexpr std::int64_t kOffsetEnd = -1;

// Told what this member of the group owns. Called from inside Poll (and the Consumer's destructor:
// OnRevoked), on its thread; may call Pause, Resume, Assigned and QueryWatermarks, and a
// LogReader's functions, but neither Poll nor Seek.
class RebalanceListener {
 public:
  virtual ~RebalanceListener() = default;

  // The offset of the first record to hand out. On an error the partition is owned but not read,
  // and asked for again once a second from Poll.
  virtual base::Result<std::int64_t> StartOf(const TopicPartition& partition) = 0;

  // No longer ours. Records of them that the current Poll had gathered are not handed out; records
  // handed out before must not be applied without the fence. `lost`: somebody else may own them
  // already.
  virtual void OnRevoked(std::span<const TopicPartition> partitions, bool lost) = 0;

  // The log no longer (or does not yet) have the offset that was to be read. The partition is
  // paused until Seek.
  virtual void OnOffsetOutOfRange(const TopicPartition& partition, const std::string& why) = 0;
};

struct ConsumerOptions {
  std::string client_id{};  // shows in Kafka's logs
  std::string group_id{};
  std::string group_instance_id{};  // static membership: a restart within the session timeout moves
                                    // nothing; "" = none
  std::size_t max_message_bytes =
      1048576 + 65536;  // as the producer's: the largest packet + 64 KiB
  std::size_t max_queued_bytes = 32 * 1024 * 1024;  // fetched ahead of Poll
  std::chrono::milliseconds session_timeout{10'000};
};

struct Watermarks {
  std::int64_t begin = 0;  // the first offset that is there
  std::int64_t end = 0;    // the offset that the next record will get
};

// `range` assignment, manual offsets, reads committed records only. Poll at least every 5 minutes,
// or the group gives the partitions to somebody else. Threads: one thread, but unreachable().
class Consumer {
 public:
  // Subscribes; does not wait for a broker. Throws StartupError. `listener` outlives the consumer.
  Consumer(const ClusterConfig& cluster, const ConsumerOptions& options,
           const std::vector<std::string>& topics, RebalanceListener& listener);
  ~Consumer();  // leaves the group (a static member stays in it until its session times out)
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  // Waits at most max_wait for a first record, then returns what has already arrived, at most
  // max_records, in the order of each partition. Empty when there was nothing. kConflict: another
  // process has this group.instance.id, the consumer is of no further use. Other errors (a topic
  // that is missing, no rights) are told once and reading goes on.
  base::Result<std::vector<ConsumedRecord>> Poll(std::size_t max_records,
                                                 std::chrono::milliseconds max_wait);

  // A paused partition keeps its owner and its place. What Poll handed out stays handed out; to
  // have it again, Seek.
  base::Status Pause(std::span<const TopicPartition> partitions);
  base::Status Resume(std::span<const TopicPartition> partitions);
  // The next record of the partition that Poll hands out is the one at `offset`. Also ends
  // OnOffsetOutOfRange's pause.
  base::Status Seek(const TopicPartition& partition, std::int64_t offset);

  std::vector<TopicPartition> Assigned()
      const;  // what the group gave to this member, started or not
  base::Result<Watermarks> QueryWatermarks(const TopicPartition& partition,
                                           std::chrono::milliseconds limit);

  // Whether the group has told this member its share, which may be nothing.
  bool joined() const;

  std::string unreachable() const;  // "" while brokers answer, else why not: for /readyz

 private:
  class State;  // what librdkafka's callbacks see
  std::unique_ptr<State> state_;
};

}  // namespace heliograph::kafka
