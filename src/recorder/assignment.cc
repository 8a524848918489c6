#include "recorder/assignment.h"

#include <utility>

namespace heliograph::recorder {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kAskKafka{2000};
constexpr milliseconds kAskKafkaForLag{500};
constexpr milliseconds kWaitForSession{1000};
constexpr milliseconds kRestartAgain{1000};

}  // namespace

Assignment::Assignment(std::string topic, Missing missing, Parts parts)
    : topic_(std::move(topic)), missing_(missing), parts_(parts) {}

base::Result<std::int64_t> Assignment::StartOf(const kafka::TopicPartition& partition) {
  Forget(partition.partition);
  auto offset = Resume(partition);
  if (!offset) {
    troubles_[partition.partition] = "partition " + std::to_string(partition.partition) + " of " +
                                     topic_ + " cannot be read: " + offset.error().message;
    return std::move(offset).error();
  }
  troubles_.erase(partition.partition);
  restarts_.erase(partition.partition);
  epochs_[partition.partition] = ++last_epoch_;
  const std::int64_t start = offset->next_offset;
  offsets_[partition.partition] = *std::move(offset);
  log_.Info("following a partition",
            {{"topic", topic_}, {"partition", partition.partition}, {"offset", start}});
  return start;
}

base::Result<postgres::LogOffset> Assignment::Resume(const kafka::TopicPartition& partition) {
  auto session = parts_.pool.Acquire(steady_clock::now() + kWaitForSession);
  if (!session) return std::move(session).error();
  auto stored = postgres::FindOffset(**session, topic_, partition.partition);
  if (!stored) return std::move(stored).error();
  auto start = FindStart(partition, *stored);
  if (!start) return std::move(start).error();
  auto offset = Settle(**session, partition.partition, *stored, *start);
  if (!offset) return offset;
  if (auto taken = parts_.applier.Take(**session, *offset); !taken) return std::move(taken).error();
  return offset;
}

base::Result<Start> Assignment::FindStart(const kafka::TopicPartition& partition,
                                          const std::optional<postgres::LogOffset>& stored) {
  const auto log = parts_.reader.QueryWatermarks(partition, kAskKafka);
  if (!log) return log.error();
  std::optional<base::Timestamp> time;
  if (stored && stored->last_record_time && stored->next_offset > log->begin &&
      stored->next_offset <= log->end) {
    auto last = parts_.reader.ReadOne(partition, stored->next_offset - 1, kAskKafka);
    if (!last) return std::move(last).error();
    if (*last) time = (*last)->time();
  }
  return DecideStart(stored, *log, time);
}

base::Result<postgres::LogOffset> Assignment::Settle(
    postgres::Connection& connection, std::int32_t partition,
    const std::optional<postgres::LogOffset>& stored, const Start& start) {
  postgres::LogOffset offset = stored.value_or(postgres::LogOffset{});
  switch (start.kind) {
    case StartKind::kContinue:
      return offset;
    case StartKind::kFirst:
      offset.partition = partition;
      offset.next_offset = start.offset;
      if (auto made = postgres::CreateOffset(connection, topic_, offset); !made)
        return std::move(made).error();
      return offset;
    case StartKind::kRecreated:
      if (auto begun = postgres::BeginGeneration(connection, topic_, offset, start.offset);
          !begun) {
        return std::move(begun).error();
      }
      log_.Error("the topic was recreated: another log begins",
                 {{"topic", topic_},
                  {"partition", partition},
                  {"generation", offset.generation + 1},
                  {"applied_of_the_old", offset.next_offset}});
      ++offset.generation;
      offset.next_offset = start.offset;
      offset.last_record_time.reset();
      offset.mapping = 0;
      return offset;
    case StartKind::kMissing:
      return SettleMissing(connection, offset, start);
  }
  return offset;
}

base::Result<postgres::LogOffset> Assignment::SettleMissing(postgres::Connection& connection,
                                                            const postgres::LogOffset& stored,
                                                            const Start& start) {
  const std::string what =
      std::to_string(start.missing) + " records are missing: the log begins at " +
      std::to_string(start.offset) + ", applied is up to " + std::to_string(stored.next_offset);
  const auto [told, is_new] = told_missing_.emplace(stored.partition, stored.next_offset);
  if (is_new || told->second != stored.next_offset) {
    told->second = stored.next_offset;
    parts_.meters.missing_records.Add(static_cast<double>(start.missing));
    log_.Error("Kafka has deleted records that were not applied",
               {{"topic", topic_},
                {"partition", stored.partition},
                {"missing", start.missing},
                {"log_begins_at", start.offset},
                {"applied_up_to", stored.next_offset}});
  }
  if (missing_ == Missing::kStay) {
    return base::MakeError(base::ErrorCode::kConflict,
                           what + "; `heliograph state rebuild` goes on without them");
  }
  if (auto skipped = postgres::SkipTo(connection, topic_, stored, start.offset); !skipped) {
    return std::move(skipped).error();
  }
  postgres::LogOffset offset = stored;
  offset.next_offset = start.offset;
  offset.last_record_time.reset();
  return offset;
}

void Assignment::Forget(std::int32_t partition) {
  if (offsets_.erase(partition) > 0) parts_.applier.GiveUp(partition);
  epochs_.erase(partition);
}

void Assignment::OnRevoked(std::span<const kafka::TopicPartition> partitions, bool lost) {
  for (const kafka::TopicPartition& one : partitions) {
    Forget(one.partition);
    restarts_.erase(one.partition);
    troubles_.erase(one.partition);
    parts_.meters.ForgetLag(one.partition);
  }
  log_.Info("partitions go to others",
            {{"topic", topic_}, {"partitions", partitions.size()}, {"lost", lost}});
}

void Assignment::OnOffsetOutOfRange(const kafka::TopicPartition& partition,
                                    const std::string& why) {
  log_.Warn("Kafka does not have the offset that is next",
            {{"topic", topic_}, {"partition", partition.partition}, {"why", why}});
  Restart(partition.partition);
}

void Assignment::Advance(std::int32_t partition, std::int64_t next_offset,
                         base::Timestamp last_record_time) {
  const auto at = offsets_.find(partition);
  if (at == offsets_.end()) return;
  at->second.next_offset = next_offset;
  at->second.last_record_time = last_record_time;
}

std::optional<std::uint64_t> Assignment::EpochOf(std::int32_t partition) const {
  const auto at = epochs_.find(partition);
  if (at == epochs_.end()) return std::nullopt;
  return at->second;
}

void Assignment::Restart(std::int32_t partition) {
  Forget(partition);
  restarts_.emplace(partition, base::SteadyTime{});
}

void Assignment::RestartPending(kafka::Consumer& consumer) {
  const auto now = steady_clock::now();
  const auto pending = restarts_;
  for (const auto& [partition, not_before] : pending) {
    if (now < not_before) continue;
    restarts_[partition] = now + kRestartAgain;
    const kafka::TopicPartition place{topic_, partition};
    const auto start = StartOf(place);
    if (!start) continue;
    if (auto sought = consumer.Seek(place, *start); !sought)
      Forget(partition);  // it was revoked meanwhile
  }
}

void Assignment::CheckNext() {
  auto next = offsets_.upper_bound(checked_);
  if (next == offsets_.end()) next = offsets_.begin();
  if (next == offsets_.end()) return;
  checked_ = next->first;
  const auto log = parts_.reader.QueryWatermarks({topic_, checked_}, kAskKafkaForLag);
  if (!log) return;
  parts_.meters.SetLag(checked_, log->end - next->second.next_offset);
  if (log->end < next->second.next_offset) Restart(checked_);
}

std::string Assignment::Trouble() const {
  return troubles_.empty() ? "" : troubles_.begin()->second;
}

}  // namespace heliograph::recorder
