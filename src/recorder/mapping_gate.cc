#include "recorder/mapping_gate.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace heliograph::recorder {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kAskKafka{1000};
constexpr milliseconds kWaitForSession{1000};
constexpr milliseconds kAskAgain{500};
// Longer than a group takes to give a dead process's partitions to another one.
constexpr milliseconds kLong{60'000};
constexpr milliseconds kLogsHold{30'000};

const postgres::OutboxPlace* OldestOf(const std::vector<postgres::OutboxPlace>& oldest,
                                      std::int32_t partition) {
  const auto at = std::ranges::find(oldest, partition, &postgres::OutboxPlace::partition);
  return at == oldest.end() ? nullptr : &*at;
}

}  // namespace

std::int32_t MappingOf(const kafka::ConsumedRecord& record) {
  const auto header = record.Header("ingest.partitions");
  if (!header) return 0;
  std::int32_t mapping = 0;
  const auto [end, error] =
      std::from_chars(header->data(), header->data() + header->size(), mapping);
  const bool is_number = error == std::errc() && end == header->data() + header->size();
  return is_number && mapping > 0 && mapping <= kMostPartitions ? mapping : 0;
}

bool HasAllBefore(std::int32_t mapping, const Neighbour& neighbour) {
  if (!neighbour.row) return neighbour.log.begin >= neighbour.log.end;
  const postgres::LogOffset& row = *neighbour.row;
  if (row.mapping >= mapping) return true;
  if (row.next_offset < neighbour.log.end) return false;
  if (!neighbour.oldest_event) return true;
  return std::pair(neighbour.oldest_event->generation, neighbour.oldest_event->first_offset) >=
         std::pair(row.generation, neighbour.log.end);
}

MappingGate::MappingGate(std::string topic, kafka::LogReader& reader, postgres::Pool& pool)
    : topic_(std::move(topic)), reader_(reader), pool_(pool) {}

bool MappingGate::Stops(std::int32_t partition, std::uint64_t epoch, std::int32_t mapping) {
  Gate& gate = gates_[partition];
  if (gate.epoch != epoch) gate = {.epoch = epoch};
  if (gate.wanted > 0) return true;
  // One that was sent by fewer than the one before it is a late repeat, or does not say; waiting
  // would help neither.
  if (mapping <= gate.passed) return false;
  gate.wanted = mapping;
  gate.closed_at = steady_clock::now();
  return true;
}

MappingGate::Answer MappingGate::Ask(const postgres::LogOffset& applied) {
  Gate& gate = gates_.at(applied.partition);
  const auto now = steady_clock::now();
  if (now < gate.ask_at) return Answer::kWait;
  const bool is_first = gate.ask_at == base::SteadyTime{};
  gate.ask_at = now + kAskAgain;
  const auto may_open = MayOpen(gate, applied);
  if (!may_open) {
    log_.Warn(
        failure_limit_, "whether earlier records of other partitions are applied is not known",
        {{"topic", topic_}, {"partition", applied.partition}, {"why", may_open.error().message}});
    gate.waits_for = may_open.error().message;
    return may_open.error().code == base::ErrorCode::kConflict ? Answer::kFenced : Answer::kWait;
  }
  if (!*may_open && is_first) {
    log_.Info("records of more partitions wait for those before them",
              {{"topic", topic_},
               {"partition", applied.partition},
               {"partitions", gate.wanted},
               {"for", gate.waits_for}});
  }
  if (!*may_open) return Answer::kWait;
  if (!is_first) {
    log_.Info("goes on with the records of more partitions",
              {{"topic", topic_}, {"partition", applied.partition}, {"partitions", gate.wanted}});
  }
  gate = {.epoch = gate.epoch, .passed = gate.wanted};
  return Answer::kOpen;
}

base::Result<bool> MappingGate::MayOpen(Gate& gate, const postgres::LogOffset& applied) {
  auto session = pool_.Acquire(steady_clock::now() + kWaitForSession);
  if (!session) return std::move(session).error();
  // Where the row says so already, as after each restart, nothing is left to tell.
  if (!gate.told && applied.mapping < gate.wanted) {
    auto told = TellOthers(**session, gate, applied);
    if (!told || !*told) return told;
  }
  // In this order: what is applied has its events in the outbox, or told already.
  auto rows = postgres::ListOffsets(**session, topic_);
  if (!rows) return std::move(rows).error();
  std::map<std::int32_t, postgres::LogOffset> known;
  for (postgres::LogOffset& row : *rows) known.emplace(row.partition, std::move(row));
  const auto is_as_far = [&](std::int32_t partition) {
    const auto row = known.find(partition);
    return partition == applied.partition ||
           (row != known.end() && row->second.mapping >= gate.wanted);
  };
  std::int32_t first = 0;
  while (first < gate.wanted && is_as_far(first)) ++first;
  if (first == gate.wanted) return true;
  auto oldest = postgres::OldestInOutbox(**session);
  if (!oldest) return std::move(oldest).error();
  ForgetOldLogs(gate);
  // Ingest shares keys out among the first partitions, as many as it says. A header that says more
  // than there are must not stop the partition for ever.
  for (std::int32_t partition = first; partition < std::min(gate.wanted, gate.count); ++partition) {
    const auto row = known.find(partition);
    if (is_as_far(partition)) continue;
    const auto log = LogOf(gate, partition);
    if (!log) return log.error();
    if (!*log) break;
    Neighbour neighbour{.row = std::nullopt, .log = **log, .oldest_event = std::nullopt};
    if (row != known.end()) neighbour.row = row->second;
    if (const auto* event = OldestOf(*oldest, partition)) neighbour.oldest_event = *event;
    if (HasAllBefore(gate.wanted, neighbour)) continue;
    gate.waits_for = "partition " + std::to_string(partition);
    return false;
  }
  return true;
}

// False: Kafka has not confirmed all events of what is applied.
base::Result<bool> MappingGate::TellOthers(postgres::Connection& connection, Gate& gate,
                                           const postgres::LogOffset& applied) {
  auto oldest = postgres::OldestInOutbox(connection);
  if (!oldest) return std::move(oldest).error();
  if (OldestOf(*oldest, applied.partition) != nullptr) {
    gate.waits_for = "Kafka, which has not confirmed all events before";
    return false;
  }
  auto told = postgres::ReachMapping(connection, topic_, applied, gate.wanted);
  if (!told) return std::move(told).error();
  gate.told = true;
  return true;
}

// Whatever was sent by fewer partitions was stored before the record that waits, so that an end
// holds once it is known, until the log of a neighbour is cut or made anew.
void MappingGate::ForgetOldLogs(Gate& gate) {
  const auto now = steady_clock::now();
  if (now - gate.logs_since < kLogsHold) return;
  gate.logs.clear();
  gate.count = kMostPartitions;
  gate.logs_since = now;
}

base::Result<const kafka::Watermarks*> MappingGate::LogOf(Gate& gate, std::int32_t partition) {
  const auto known = gate.logs.find(partition);
  if (known != gate.logs.end()) return &known->second;
  auto log = reader_.QueryWatermarks({topic_, partition}, kAskKafka);
  if (!log && log.error().code == base::ErrorCode::kNotFound) {
    const auto count = reader_.PartitionCount(topic_, kAskKafka);
    if (count && *count <= partition) {
      gate.count = *count;
      return nullptr;
    }
  }
  if (!log) return std::move(log).error();
  return &gate.logs.emplace(partition, *log).first->second;
}

std::string MappingGate::Trouble(std::int32_t partition) const {
  const Gate& gate = gates_.at(partition);
  if (gate.wanted == 0 || steady_clock::now() - gate.closed_at < kLong) return "";
  return "partition " + std::to_string(partition) + " of " + topic_ +
         " waits for what was stored before it had so many: " + gate.waits_for;
}

}  // namespace heliograph::recorder
