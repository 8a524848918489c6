#include "recorder/rebuild.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/startup_error.h"
#include "kafka/log_reader.h"
#include "postgres/offset_store.h"
#include "recorder/control_fold.h"
#include "recorder/mapping_gate.h"
#include "recorder/rebuild_swap.h"
#include "recorder/slicer.h"

namespace heliograph::recorder {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::int64_t kLockKey = 0x68656c696f02;  // as the migrations', and one more
constexpr milliseconds kAskKafka{5000};
constexpr milliseconds kSilence{20'000};  // that the log may keep where it should have records
constexpr std::int64_t kSmallRest = 20'000;

// What is replayed of one partition.
struct Replay {
  std::int32_t generation = 1;
  std::int64_t begin = 0;
  std::int64_t next = 0;     // the first record that is not replayed yet
  std::int32_t mapping = 0;  // the largest of what is replayed: see mapping_gate.h
};

// Replays records into the rebuilt tables. Threads: one thread.
class Replayer {
 public:
  Replayer(const RebuildOptions& options, postgres::Connection connection)
      : options_(options),
        connection_(std::move(connection)),
        reader_(options.kafka, "heliograph-rebuild", options.max_message_bytes),
        slicer_(options.batch_records) {}

  // Up to each partition's stored offset.
  base::Status ReplayTo(const std::vector<postgres::LogOffset>& offsets);

  std::map<std::int32_t, LogBegin> Begins() const;
  std::int64_t Behind(const std::vector<postgres::LogOffset>& offsets) const;
  std::int64_t records() const { return records_; }
  std::int64_t refused() const { return refused_; }

 private:
  base::Status Begin(const postgres::LogOffset& offset);
  base::Result<std::int32_t> ReplayPartition(const postgres::LogOffset& offset,
                                             std::int32_t mapping);
  base::Status Apply(const std::vector<Record>& records, std::int32_t generation);
  base::Status ApplySlice(std::span<const Record> slice, std::int32_t generation);
  void TellProgress(std::size_t records);

  const RebuildOptions& options_;
  postgres::Connection connection_;
  kafka::LogReader reader_;
  ControlFold fold_;
  Slicer slicer_;
  std::map<std::int32_t, Replay> replays_;
  std::int64_t all_ = 0;
  std::int64_t records_ = 0;
  std::int64_t refused_ = 0;
};

base::Status Replayer::Begin(const postgres::LogOffset& offset) {
  const auto log = reader_.QueryWatermarks({options_.control_topic, offset.partition}, kAskKafka);
  if (!log) return log.error();
  if (log->end < offset.next_offset) {
    return base::MakeError(
        base::ErrorCode::kConflict,
        "the log of partition " + std::to_string(offset.partition) +
            " ends before what was applied: it was recreated; let the recorder run first");
  }
  replays_[offset.partition] = {offset.generation, log->begin, log->begin};
  all_ += std::max<std::int64_t>(0, offset.next_offset - log->begin);
  return {};
}

base::Status Replayer::ReplayTo(const std::vector<postgres::LogOffset>& offsets) {
  for (const postgres::LogOffset& offset : offsets) {
    if (replays_.contains(offset.partition)) continue;
    if (auto begun = Begin(offset); !begun) return begun;
  }
  std::int32_t mapping = 0;
  for (;;) {
    std::int32_t next = 0;
    for (const postgres::LogOffset& offset : offsets) {
      const auto stopped_at = ReplayPartition(offset, mapping);
      if (!stopped_at) return stopped_at.error();
      if (*stopped_at > 0) next = next == 0 ? *stopped_at : std::min(next, *stopped_at);
    }
    if (next == 0) return {};
    mapping = next;
  }
}

// Up to the first record that was sent by more partitions than `mapping`; answers by how many that
// was, 0: there is none.
base::Result<std::int32_t> Replayer::ReplayPartition(const postgres::LogOffset& offset,
                                                     std::int32_t mapping) {
  Replay& replay = replays_.at(offset.partition);
  if (replay.generation != offset.generation) {
    return base::MakeError(base::ErrorCode::kConflict,
                           "the topic was recreated meanwhile; begin again");
  }
  if (replay.next >= offset.next_offset) return 0;
  if (replay.mapping > mapping) return replay.mapping;
  auto started = reader_.Start({options_.control_topic, offset.partition}, replay.next);
  if (!started) return std::move(started).error();
  std::int32_t beyond = 0;
  auto silent_since = steady_clock::now();
  while (replay.next < offset.next_offset && beyond == 0) {
    auto read = reader_.Next(options_.batch_records, milliseconds(500));
    if (!read) return std::move(read).error();
    if (read->empty() && steady_clock::now() - silent_since > kSilence) {
      return base::MakeError(base::ErrorCode::kUnavailable, "Kafka hands out no records");
    }
    if (!read->empty()) silent_since = steady_clock::now();
    std::vector<Record> records;
    for (const kafka::ConsumedRecord& one : *read) {
      if (one.offset() >= offset.next_offset) break;
      replay.mapping = std::max(replay.mapping, MappingOf(one));
      if (replay.mapping > mapping) {
        beyond = replay.mapping;
        replay.next = one.offset();
        break;
      }
      records.push_back({one.partition(), one.offset(), one.time(), one.key(), one.payload()});
    }
    if (!read->empty() && beyond == 0)
      replay.next = std::min(read->back().offset() + 1, offset.next_offset);
    auto applied = Apply(records, offset.generation);
    if (!applied) return std::move(applied).error();
    TellProgress(records.size());
  }
  return beyond;
}

base::Status Replayer::Apply(const std::vector<Record>& records, std::int32_t generation) {
  std::span<const Record> rest = records;
  while (!rest.empty()) {
    const auto slice = rest.first(slicer_.Next(rest.size()));
    const auto applied = ApplySlice(slice, generation);
    if (!applied && !IsAboutData(applied.error().code)) return applied;
    if (applied) {
      slicer_.Passed();
      rest = rest.subspan(slice.size());
    } else if (slicer_.Refused(slice.size())) {
      ++refused_;
      rest = rest.subspan(1);
    }
  }
  return {};
}

base::Status Replayer::ApplySlice(std::span<const Record> slice, std::int32_t generation) {
  const auto refused = fold_.Prepare(slice);
  auto transaction = postgres::Transaction::Begin(connection_);
  if (!transaction) return std::move(transaction).error();
  // A crash throws these tables away, so nothing needs to wait for the disk.
  if (auto set = transaction->Execute("SET LOCAL synchronous_commit = off"); !set)
    return std::move(set).error();
  const Generations generations{{slice.front().partition, generation}};
  if (auto applied = fold_.Apply(*transaction, generations, options_.resolver, nullptr); !applied)
    return applied;
  if (auto committed = transaction->Commit(); !committed) return committed;
  refused_ += static_cast<std::int64_t>(refused.size());
  return {};
}

void Replayer::TellProgress(std::size_t records) {
  records_ += static_cast<std::int64_t>(records);
  if (options_.on_progress) options_.on_progress(records_, std::max(records_, all_));
}

std::map<std::int32_t, LogBegin> Replayer::Begins() const {
  std::map<std::int32_t, LogBegin> begins;
  for (const auto& [partition, replay] : replays_)
    begins[partition] = {replay.generation, replay.begin};
  return begins;
}

std::int64_t Replayer::Behind(const std::vector<postgres::LogOffset>& offsets) const {
  std::int64_t behind = 0;
  for (const postgres::LogOffset& offset : offsets) {
    const auto replay = replays_.find(offset.partition);
    const std::int64_t next = replay == replays_.end() ? 0 : replay->second.next;
    behind += std::max<std::int64_t>(0, offset.next_offset - next);
  }
  return behind;
}

base::Result<postgres::Connection> OpenSession(const RebuildOptions& options,
                                               const std::string& setup) {
  postgres::Config config = options.postgres;
  config.statement_timeout = milliseconds(0);
  config.lock_timeout = milliseconds(60'000);
  config.session_setup =
      "SET idle_in_transaction_session_timeout = '10min'; SET plan_cache_mode = "
      "force_generic_plan; " +
      setup;
  return postgres::Connection::Open(config, "heliograph-rebuild");
}

base::Status LockOthersOut(postgres::Connection& connection) {
  auto locked = connection.Execute("SELECT pg_try_advisory_lock($1::bigint)", {kLockKey});
  if (!locked) return std::move(locked).error();
  if (locked->GetBool(0, 0)) return {};
  return base::MakeError(base::ErrorCode::kConflict, "another rebuild is running");
}

// Offsets that the log no longer reaches back to go on at its beginning.
base::Status SkipMissing(postgres::Transaction& transaction, const std::string& topic,
                         const std::map<std::int32_t, LogBegin>& begins) {
  for (const auto& [partition, log] : begins) {
    auto skipped = transaction.Execute(
        "UPDATE kafka_offsets SET next_offset = $3::bigint, last_record_time = NULL, updated_at = "
        "now()"
        " WHERE topic = $1 AND partition = $2::int AND next_offset < $3::bigint",
        {topic, partition, log.begin});
    if (!skipped) return std::move(skipped).error();
  }
  return {};
}

base::Result<SwapReport> Finish(const RebuildOptions& options, const std::string& schema,
                                postgres::Connection& connection, Replayer& replayer) {
  auto offsets = postgres::ListOffsets(connection, options.control_topic);
  if (!offsets) return std::move(offsets).error();
  std::vector<std::int32_t> partitions;
  for (const postgres::LogOffset& offset : *offsets) partitions.push_back(offset.partition);
  auto transaction = postgres::Transaction::Begin(connection);
  if (!transaction) return std::move(transaction).error();
  // From here on the recorder waits.
  auto locked = postgres::LockOffsets(*transaction, options.control_topic, partitions);
  if (!locked) return std::move(locked).error();
  if (auto replayed = replayer.ReplayTo(*locked); !replayed) return std::move(replayed).error();
  const auto begins = replayer.Begins();
  auto report = SwapIn(*transaction, schema, begins, options.resolver == nullptr);
  if (!report) return report;
  if (auto skipped = SkipMissing(*transaction, options.control_topic, begins); !skipped) {
    return std::move(skipped).error();
  }
  if (auto committed = transaction->Commit(); !committed) return std::move(committed).error();
  return report;
}

base::Result<RebuildReport> RebuildIn(const RebuildOptions& options, const std::string& schema) {
  const std::string setup = "SET search_path = " + std::string(kRebuildSchema) + ", " + schema;
  auto keeper = OpenSession(options, setup);
  if (!keeper) return std::move(keeper).error();
  auto worker = OpenSession(options, setup);
  if (!worker) return std::move(worker).error();
  Replayer replayer(options, *std::move(worker));
  while (true) {
    auto offsets = postgres::ListOffsets(*keeper, options.control_topic);
    if (!offsets) return std::move(offsets).error();
    if (auto replayed = replayer.ReplayTo(*offsets); !replayed) return std::move(replayed).error();
    offsets = postgres::ListOffsets(*keeper, options.control_topic);
    if (!offsets) return std::move(offsets).error();
    if (replayer.Behind(*offsets) <= kSmallRest) break;
  }
  auto swapped = Finish(options, schema, *keeper, replayer);
  if (!swapped) return std::move(swapped).error();
  RebuildReport report;
  report.records = replayer.records();
  report.refused = replayer.refused();
  report.connections = swapped->connections;
  report.intervals = swapped->intervals;
  report.changed_rows = swapped->changed_rows;
  report.older_than_log = swapped->older_than_log;
  return report;
}

}  // namespace

base::Result<RebuildReport> Rebuild(const RebuildOptions& options) {
  auto session = OpenSession(options, "");
  if (!session) return std::move(session).error();
  if (auto alone = LockOthersOut(*session); !alone) return std::move(alone).error();
  auto schema = session->Execute("SELECT quote_ident(current_schema())");
  if (!schema) return std::move(schema).error();
  const std::string name(schema->Get(0, 0));
  if (auto made = MakeRebuildTables(*session, name); !made) return std::move(made).error();
  try {
    auto report = RebuildIn(options, name);
    if (auto dropped = DropRebuildTables(*session); !dropped && report)
      return std::move(dropped).error();
    return report;
  } catch (const base::StartupError& error) {  // Kafka's library refuses a setting
    return base::MakeError(base::ErrorCode::kInvalidArgument, error.what());
  }
}

}  // namespace heliograph::recorder
