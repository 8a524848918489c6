// Where a topic gets more partitions, a device's records may go on in another one. Those that were
// sent by a larger number of partitions wait at a gate until all that were sent by a smaller one
// are applied, in every partition: docs/decisions/0015.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "kafka/log_reader.h"
#include "kafka/record.h"
#include "log/log.h"
#include "postgres/offset_store.h"
#include "postgres/outbox_store.h"
#include "postgres/pool.h"

namespace heliograph::recorder {

// A larger number is no number of partitions.
inline constexpr std::int32_t kMostPartitions = 200'000;

// The number of partitions by which ingest sent the record; 0: it does not say.
std::int32_t MappingOf(const kafka::ConsumedRecord& record);

// What is known of a partition that others wait for.
struct Neighbour {
  std::optional<postgres::LogOffset> row;
  kafka::Watermarks log;  // as asked after the record that waits was read
  std::optional<postgres::OutboxPlace> oldest_event;  // that Kafka has not confirmed
};

// Whether everything that was sent to it by fewer partitions than `mapping` is applied and told.
bool HasAllBefore(std::int32_t mapping, const Neighbour& neighbour);

// The gates of a topic's followed partitions. A partition that was started anew (another epoch)
// asks again: what was reached once stays so, and the question is cheap. Threads: one thread.
class MappingGate {
 public:
  // All references outlive it.
  MappingGate(std::string topic, kafka::LogReader& reader, postgres::Pool& pool);

  // Whether this record, the next of its partition, has to wait, because it or one before it met
  // the gate.
  bool Stops(std::int32_t partition, std::uint64_t epoch, std::int32_t mapping);

  enum class Answer { kWait, kOpen, kFenced };  // kFenced: another process has moved the offset
  // Everything before the gate is applied, up to `applied`: tells the others so, and asks whether
  // they are as far. Bounded; asks again at most twice a second.
  Answer Ask(const postgres::LogOffset& applied);

  // "" or whom this closed gate's records have waited for too long: for /readyz.
  std::string Trouble(std::int32_t partition) const;

 private:
  struct Gate {
    std::uint64_t epoch = 0;
    std::int32_t passed = 0;  // records of mappings up to this one are let through
    std::int32_t wanted = 0;  // that of the record that waits; 0: none does
    bool told = false;        // that everything before the gate is applied
    base::SteadyTime closed_at{};
    base::SteadyTime ask_at{};
    std::map<std::int32_t, kafka::Watermarks> logs{};
    base::SteadyTime logs_since{};
    std::int32_t count = kMostPartitions;  // partitions that there are, where fewer than wanted
    std::string waits_for{};
  };

  base::Result<bool> MayOpen(Gate& gate, const postgres::LogOffset& applied);
  base::Result<bool> TellOthers(postgres::Connection& connection, Gate& gate,
                                const postgres::LogOffset& applied);
  static void ForgetOldLogs(Gate& gate);
  // Null: there is no such partition.
  base::Result<const kafka::Watermarks*> LogOf(Gate& gate, std::int32_t partition);

  const std::string topic_;
  kafka::LogReader& reader_;
  postgres::Pool& pool_;
  const log::Logger log_{"recorder"};
  log::RateLimit failure_limit_{std::chrono::seconds(10)};
  std::map<std::int32_t, Gate> gates_;
};

}  // namespace heliograph::recorder
