// The partitions that the consumer group gave to this process: where each goes on, and whether it
// still does.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "base/clock.h"
#include "kafka/consumer.h"
#include "kafka/log_reader.h"
#include "log/log.h"
#include "postgres/pool.h"
#include "recorder/applier.h"
#include "recorder/log_start.h"
#include "recorder/meters.h"

namespace heliograph::recorder {

// What to do when Kafka has deleted records that were not applied.
enum class Missing {
  kStay,  // somebody must decide: the partition stays unread
  kGoOn,  // say how many, and go on with what is there
};

// Threads: one thread.
class Assignment final : public kafka::RebalanceListener {
 public:
  // All references outlive it.
  struct Parts {
    postgres::Pool& pool;
    kafka::LogReader& reader;
    Applier& applier;
    Meters& meters;
  };
  Assignment(std::string topic, Missing missing, Parts parts);

  base::Result<std::int64_t> StartOf(const kafka::TopicPartition& partition) override;
  void OnRevoked(std::span<const kafka::TopicPartition> partitions, bool lost) override;
  void OnOffsetOutOfRange(const kafka::TopicPartition& partition, const std::string& why) override;

  // Where the followed partitions stand.
  const Offsets& offsets() const { return offsets_; }
  void Advance(std::int32_t partition, std::int64_t next_offset, base::Timestamp last_record_time);

  // Counts the times that a partition was started; nullopt where it is not followed now. Records
  // that were read under another count are of no use.
  std::optional<std::uint64_t> EpochOf(std::int32_t partition) const;

  // Do not trust what is known of it: the offset row is to be read again.
  void Restart(std::int32_t partition);
  // Starts those again that have to, at most once a second each.
  void RestartPending(kafka::Consumer& consumer);

  // Asks Kafka for the end of one partition, in turn: for the lag, and to notice a log that was
  // recreated under us.
  void CheckNext();

  // "" or why partitions of ours are not read: for /readyz.
  std::string Trouble() const;

 private:
  base::Result<Start> FindStart(const kafka::TopicPartition& partition,
                                const std::optional<postgres::LogOffset>& stored);
  base::Result<postgres::LogOffset> Settle(postgres::Connection& connection, std::int32_t partition,
                                           const std::optional<postgres::LogOffset>& stored,
                                           const Start& start);
  base::Result<postgres::LogOffset> SettleMissing(postgres::Connection& connection,
                                                  const postgres::LogOffset& stored,
                                                  const Start& start);
  base::Result<postgres::LogOffset> Resume(const kafka::TopicPartition& partition);
  void Forget(std::int32_t partition);

  const std::string topic_;
  const Missing missing_;
  const Parts parts_;
  const log::Logger log_{"recorder"};
  Offsets offsets_;
  std::map<std::int32_t, std::uint64_t> epochs_;
  std::uint64_t last_epoch_ = 0;
  std::map<std::int32_t, base::SteadyTime> restarts_;  // partition -> not before
  std::map<std::int32_t, std::string> troubles_;
  std::map<std::int32_t, std::int64_t>
      told_missing_;           // partition -> stored offset of which the loss was logged
  std::int32_t checked_ = -1;  // the partition that CheckNext asked for last
};

}  // namespace heliograph::recorder
