// Reads single records of a log, and whole partitions, without a group: for the identity of a log,
// for rebuilds, for tools.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "kafka/config.h"
#include "kafka/consumer.h"
#include "kafka/record.h"

namespace heliograph::kafka {

// Threads: one thread, but unreachable().
class LogReader {
 public:
  LogReader(const ClusterConfig& cluster, const std::string& client_id,
            std::size_t max_message_bytes =
                1048576 + 65536);  // throws StartupError; does not wait for a broker
  ~LogReader();
  LogReader(const LogReader&) = delete;
  LogReader& operator=(const LogReader&) = delete;

  base::Result<Watermarks> QueryWatermarks(const TopicPartition& partition,
                                           std::chrono::milliseconds limit);

  // How many partitions the topic has. kNotFound: there is no such topic.
  base::Result<int> PartitionCount(const std::string& topic, std::chrono::milliseconds limit);

  // The record at exactly `offset`; nothing when the log does not hold it (any more, or yet, or
  // compacted away). Ends a Start that is under way.
  base::Result<std::optional<ConsumedRecord>> ReadOne(const TopicPartition& partition,
                                                      std::int64_t offset,
                                                      std::chrono::milliseconds limit);

  // From `offset` on, to be read by Next. kNotFound from Next: the log no longer holds `offset`.
  base::Status Start(const TopicPartition& partition, std::int64_t offset);
  // What has arrived, at most max_records; waits at most max_wait for the first. Empty: nothing
  // yet, or the end (compare with QueryWatermarks).
  base::Result<std::vector<ConsumedRecord>> Next(std::size_t max_records,
                                                 std::chrono::milliseconds max_wait);

  std::string unreachable() const;  // "" while brokers answer, else why not

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace heliograph::kafka
