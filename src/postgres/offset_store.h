// How far the logs of Kafka were applied: table kafka_offsets.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "postgres/transaction.h"

namespace heliograph::postgres {

// One partition's row.
struct LogOffset {
  std::int32_t partition = 0;
  std::int32_t generation = 1;                      // counts the logs that had the topic's name
  std::int64_t next_offset = 0;                     // the first record that was not applied
  std::optional<base::Timestamp> last_record_time;  // of the record before next_offset
  std::string owner_rules;  // by which the partition's connections have their tenants; "" = none
  // Everything that was sent by fewer partitions than this is applied, and its events are in Kafka.
  std::int32_t mapping = 0;
};

// nullopt: nothing of the partition was ever applied.
base::Result<std::optional<LogOffset>> FindOffset(Connection& connection, const std::string& topic,
                                                  std::int32_t partition);

// All rows of a topic, by partition.
base::Result<std::vector<LogOffset>> ListOffsets(Connection& connection, const std::string& topic);

// kConflict: somebody else made it first.
base::Status CreateOffset(Connection& connection, const std::string& topic,
                          const LogOffset& offset);

// The topic was recreated: the partition goes on at `next_offset` of the next generation.
// kConflict: the row is not as `known` any more.
base::Status BeginGeneration(Connection& connection, const std::string& topic,
                             const LogOffset& known, std::int64_t next_offset);

// Goes on at `next_offset` of the same log, leaving out what Kafka has deleted. kConflict as above.
base::Status SkipTo(Connection& connection, const std::string& topic, const LogOffset& known,
                    std::int64_t next_offset);

// Locks the rows of these partitions until the transaction ends, in their order, so that two owners
// of the same partitions wait for each other instead of deadlocking. Rows that do not exist are
// left out.
base::Result<std::vector<LogOffset>> LockOffsets(Transaction& transaction, const std::string& topic,
                                                 std::span<const std::int32_t> partitions);

// Raises `known.mapping`. kConflict: the partition has been moved on by somebody else.
base::Status ReachMapping(Connection& connection, const std::string& topic, const LogOffset& known,
                          std::int32_t mapping);

struct OffsetAdvance {
  std::int32_t partition = 0;
  std::int32_t generation = 1;
  std::int64_t expected = 0;  // next_offset until now
  std::int64_t next_offset = 0;
  base::Timestamp last_record_time{};
};

// kConflict: a row was not as expected, so another consumer owns its partition: roll back.
base::Status AdvanceOffsets(Transaction& transaction, const std::string& topic,
                            std::span<const OffsetAdvance> advances);

base::Status NoteOwnerRules(Transaction& transaction, const std::string& topic,
                            std::int32_t partition, const std::string& owner_rules);

}  // namespace heliograph::postgres
