#include "recorder/follower.h"

#include <algorithm>
#include <map>
#include <thread>

namespace heliograph::recorder {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kTurn{100};  // the longest wait in one turn
constexpr milliseconds kWaitForLetters{2000};
constexpr milliseconds kCheckEvery{2000};
constexpr milliseconds kSuspectEvery{10'000};
// A place in the group that was ours for so long was nobody else's.
constexpr std::chrono::minutes kLongAlone{5};

}  // namespace

Follower::Follower(const FollowerOptions& options, Parts parts)
    : options_(options),
      parts_(parts),
      reader_(options.cluster, options.consumer.client_id + "-reader",
              options.consumer.max_message_bytes),
      assignment_(options.topic, options.missing,
                  {parts.pool, reader_, parts.applier, parts.meters}),
      gate_(options.topic, reader_, parts.pool),
      slicer_(static_cast<std::size_t>(options.batch.max_records)) {
  status_.kafka = "not connected yet";
  OpenConsumer();
}

void Follower::OpenConsumer() {
  consumer_ = std::make_unique<kafka::Consumer>(
      options_.cluster, options_.consumer, std::vector<std::string>{options_.topic}, assignment_);
  consumer_opened_at_ = steady_clock::now();
  consumer_trouble_.clear();
  paused_ = false;
  paused_behind_.clear();
}

void Follower::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    Read();
    const bool due = steady_clock::now() >= retry_at_;
    if (!pending_.empty() && due && !parts_.applier.Congested()) Work();
    OpenGates();
    parts_.publisher.Pump();
    parts_.applier.Tick(assignment_.offsets());
    if (consumer_) assignment_.RestartPending(*consumer_);
    if (steady_clock::now() >= check_at_) {
      check_at_ = steady_clock::now() + kCheckEvery;
      if (parts_.publisher.unreachable().empty()) assignment_.CheckNext();
    }
    Keep({KafkaTrouble(), LogTrouble(), failure_});
  }
  parts_.applier.Finish();
  pending_.clear();
  behind_.clear();
  consumer_.reset();
}

std::string Follower::LogTrouble() const {
  std::string trouble = assignment_.Trouble();
  for (const auto& [topic, partition] : Behind()) {
    if (trouble.empty()) trouble = gate_.Trouble(partition);
  }
  return trouble;
}

std::string Follower::KafkaTrouble() const {
  if (!consumer_) return consumer_trouble_;
  if (std::string why = consumer_->unreachable(); !why.empty()) return why;
  if (std::string why = parts_.publisher.unreachable(); !why.empty()) return why;
  return consumer_->joined() ? "" : "the consumer group has not given out its partitions yet";
}

void Follower::Keep(Status status) {
  const std::lock_guard lock(mutex_);
  status_ = std::move(status);
}

Follower::Status Follower::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void Follower::SetPaused(bool paused) {
  const auto behind = Behind();
  // A rebalance ends pauses, so they are renewed.
  const auto begun = paused ? consumer_->Assigned() : behind;
  auto ended = paused_ ? consumer_->Assigned() : paused_behind_;
  std::erase_if(ended,
                [&](const auto& one) { return std::ranges::find(begun, one) != begun.end(); });
  if (!ended.empty()) (void)consumer_->Resume(ended);
  if (!begun.empty()) (void)consumer_->Pause(begun);
  paused_ = paused;
  paused_behind_ = behind;
}

// Partitions with records that wait at the gate.
std::vector<kafka::TopicPartition> Follower::Behind() const {
  std::set<std::int32_t> partitions;
  for (const Pending& one : behind_) partitions.insert(one.record.partition());
  std::vector<kafka::TopicPartition> behind;
  for (const std::int32_t partition : partitions) behind.push_back({options_.topic, partition});
  return behind;
}

void Follower::Read() {
  const auto now = steady_clock::now();
  if (!consumer_) {
    if (now < consumer_again_at_) {
      std::this_thread::sleep_for(kTurn);
      return;
    }
    OpenConsumer();
  }
  const bool full = pending_.size() >= static_cast<std::size_t>(options_.batch.max_records);
  const bool waiting = !pending_.empty() && now < retry_at_;
  SetPaused(full || waiting || parts_.applier.Congested());
  milliseconds wait = kTurn;
  if (waiting) wait = std::min(kTurn, std::chrono::ceil<milliseconds>(retry_at_ - now));
  if (!pending_.empty() && !waiting) wait = milliseconds(0);
  const auto most = static_cast<std::size_t>(options_.batch.max_records);
  auto records = consumer_->Poll(most, wait);
  if (!records) return OnReadError(records.error());
  const auto full_at = steady_clock::now() + options_.batch.max_wait;
  TakeRecords(*std::move(records));
  while (!paused_ && !pending_.empty() && pending_.size() < most) {
    const auto left = std::chrono::ceil<milliseconds>(full_at - steady_clock::now());
    if (left.count() <= 0) break;
    records = consumer_->Poll(most - pending_.size(), left);
    if (!records) return OnReadError(records.error());
    TakeRecords(*std::move(records));
  }
}

void Follower::TakeRecords(std::vector<kafka::ConsumedRecord> records) {
  DropStale();  // Poll may have rebalanced
  for (kafka::ConsumedRecord& record : records) {
    if (const auto epoch = assignment_.EpochOf(record.partition())) {
      Admit({std::move(record), *epoch});
    }
  }
}

void Follower::Admit(Pending pending) {
  const bool stops =
      options_.order_across_partitions &&
      gate_.Stops(pending.record.partition(), pending.epoch, MappingOf(pending.record));
  (stops ? behind_ : pending_).push_back(std::move(pending));
}

void Follower::OpenGates() {
  for (const auto& [topic, partition] : Behind()) {
    const auto is_of_it = [partition = partition](const Pending& one) {
      return one.record.partition() == partition;
    };
    if (std::ranges::any_of(pending_, is_of_it)) continue;  // all before the gate first
    const auto applied = assignment_.offsets().find(partition);
    if (applied == assignment_.offsets().end()) continue;  // DropStale comes
    const MappingGate::Answer answer = gate_.Ask(applied->second);
    if (answer == MappingGate::Answer::kFenced) assignment_.Restart(partition);
    if (answer != MappingGate::Answer::kOpen) continue;
    std::deque<Pending> waiting;
    std::swap(waiting, behind_);
    for (Pending& one : waiting) {
      if (is_of_it(one)) {
        Admit(std::move(one));
      } else {
        behind_.push_back(std::move(one));
      }
    }
  }
}

void Follower::DropStale() {
  const auto is_stale = [this](const Pending& one) {
    return assignment_.EpochOf(one.record.partition()) != one.epoch;
  };
  std::erase_if(behind_, is_stale);
  if (std::erase_if(pending_, is_stale) == 0) return;
  prepared_ = false;
  condemned_.reset();
  // What failed may have gone with it; if not, it will fail again and say so.
  failure_.clear();
  retry_at_ = {};
}

void Follower::OnReadError(const base::Error& error) {
  DropStale();
  if (error.code == base::ErrorCode::kConflict) {
    log_.Error("another process has this one's place in the consumer group; trying again later",
               {{"topic", options_.topic}, {"why", error.message}});
    consumer_trouble_ = error.message;
    pending_.clear();
    behind_.clear();
    prepared_ = false;
    consumer_.reset();
    const auto now = steady_clock::now();
    if (now - consumer_opened_at_ > kLongAlone) consumer_backoff_.Reset();
    consumer_again_at_ = now + consumer_backoff_.Next();
    return;
  }
  log_.Warn(read_limit_, "reading from Kafka", {{"topic", options_.topic}, {"why", error.message}});
  // It may be another log of the same name by now.
  if (steady_clock::now() < suspect_again_at_) return;
  suspect_again_at_ = steady_clock::now() + kSuspectEvery;
  const Offsets offsets = assignment_.offsets();
  for (const auto& [partition, offset] : offsets) assignment_.Restart(partition);
  DropStale();
}

void Follower::Work() {
  const auto began = steady_clock::now();
  const std::size_t size = SliceSize();
  switch (TrySlice(size)) {
    case Outcome::kCommitted:
      slicer_.Passed();
      pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(size));
      parts_.meters.batch_seconds.Observe(
          std::chrono::duration<double>(steady_clock::now() - began).count());
      parts_.meters.batches.Add();
      parts_.meters.records.Add(static_cast<double>(size));
      break;
    case Outcome::kRefused:
      if (slicer_.Refused(size)) condemned_ = failure_;
      failure_.clear();
      prepared_ = false;
      return;
    case Outcome::kRetry:
      parts_.meters.failed_batches.Add();
      retry_at_ = steady_clock::now() + backoff_.Next();
      return;
    case Outcome::kRestarted:
      DropStale();
      break;
  }
  if (!failure_.empty()) log_.Info("batches are committed again", {{"topic", options_.topic}});
  failure_.clear();
  backoff_.Reset();
  prepared_ = false;
  condemned_.reset();
}

std::size_t Follower::SliceSize() const {
  if (condemned_) return 1;
  // A slice that is tried again stays as it is: its dead letters are out already.
  return prepared_ ? records_.size() : slicer_.Next(pending_.size());
}

bool Follower::PrepareSlice(std::size_t size) {
  if (!prepared_) {
    records_.clear();
    for (std::size_t i = 0; i < size; ++i) {
      const kafka::ConsumedRecord& one = pending_[i].record;
      records_.push_back({one.partition(), one.offset(), one.time(), one.key(), one.payload()});
      for (const char* name : parts_.applier.Headers()) {
        records_.back().headers.push_back(one.Header(name).value_or(""));
      }
    }
    std::vector<Refusal> refused;
    if (condemned_) {
      (void)parts_.applier.Prepare({});
      refused.push_back(
          {0, device::DeadLetterReasonName(device::DeadLetterReason::kBadField), *condemned_});
    } else {
      refused = parts_.applier.Prepare(records_);
    }
    told_.clear();
    letters_.clear();
    prepared_ = true;
    return TellRefused(std::move(refused));
  }
  return TellRefused({});
}

// Each record once, however often the slice is tried. True: the dead letters are in Kafka, and the
// offset may move past the refused records.
bool Follower::TellRefused(std::vector<Refusal> refused) {
  std::erase_if(refused, [this](const Refusal& one) { return !told_.insert(one.record).second; });
  if (!refused.empty()) letters_.push_back(parts_.dead_letters.Send(records_, refused));
  return std::all_of(letters_.begin(), letters_.end(), [this](const auto& ticket) {
    return parts_.publisher.WaitFor(*ticket, kWaitForLetters);
  });
}

Follower::Outcome Follower::Fail(const base::Error& error) {
  failure_ = error.message;
  if (IsAboutData(error.code)) return Outcome::kRefused;
  if (error.code == base::ErrorCode::kDeadlineExceeded && records_.size() > 1) {
    slicer_.TooSlow(records_.size());
    prepared_ = false;
  }
  if (base::IsRetriable(error.code)) {
    log_.Warn(failure_limit_, "a batch is not committed, trying again",
              {{"topic", options_.topic}, {"why", error.message}});
  } else {
    log_.Error(failure_limit_, "a batch cannot be committed, trying again",
               {{"topic", options_.topic}, {"why", error.message}});
  }
  return Outcome::kRetry;
}

Follower::Outcome Follower::FailForLetters() {
  const std::string why = parts_.publisher.unreachable();
  return Fail(base::MakeError(
      base::ErrorCode::kUnavailable,
      "Kafka has not confirmed the dead letters yet" + (why.empty() ? why : ": " + why)));
}

Follower::Outcome Follower::TrySlice(std::size_t size) {
  return PrepareSlice(size) ? ApplySlice() : FailForLetters();
}

std::vector<postgres::OffsetAdvance> Follower::Advances() const {
  std::map<std::int32_t, const Record*> last;
  for (const Record& record : records_) last[record.partition] = &record;
  std::vector<postgres::OffsetAdvance> advances;
  for (const auto& [partition, record] : last) {
    const postgres::LogOffset& now = assignment_.offsets().at(partition);
    advances.push_back(
        {partition, now.generation, now.next_offset, record->offset + 1, record->time});
  }
  return advances;
}

// Another process that owns a partition by now has moved its offset on.
Follower::Outcome Follower::CheckFence(postgres::Transaction& transaction) {
  std::vector<std::int32_t> partitions;
  const auto advances = Advances();
  for (const auto& one : advances) partitions.push_back(one.partition);
  auto locked = postgres::LockOffsets(transaction, options_.topic, partitions);
  if (!locked) return Fail(locked.error());
  Outcome outcome = Outcome::kCommitted;
  for (const auto& one : advances) {
    const bool as_expected =
        std::any_of(locked->begin(), locked->end(), [&](const postgres::LogOffset& row) {
          return row.partition == one.partition && row.generation == one.generation &&
                 row.next_offset == one.expected;
        });
    if (as_expected) continue;
    log_.Warn("the offset was moved by another process, which owns the partition by now",
              {{"topic", options_.topic},
               {"partition", one.partition},
               {"expected_offset", one.expected}});
    parts_.meters.fenced.Add();
    assignment_.Restart(one.partition);
    outcome = Outcome::kRestarted;
  }
  return outcome;
}

Follower::Outcome Follower::ApplySlice() {
  auto session = parts_.pool.Acquire(steady_clock::now() + kTurn);
  if (!session) return Fail(session.error());
  auto transaction = postgres::Transaction::Begin(**session);
  if (!transaction) return Fail(transaction.error());
  const Outcome fence = CheckFence(*transaction);
  if (fence != Outcome::kCommitted) return fence;
  Generations generations;
  for (const auto& [partition, offset] : assignment_.offsets())
    generations[partition] = offset.generation;
  auto refused = parts_.applier.Apply(*transaction, generations);
  if (!refused) return Fail(refused.error());
  if (!TellRefused(*std::move(refused))) return FailForLetters();
  const auto advances = Advances();
  if (auto advanced = postgres::AdvanceOffsets(*transaction, options_.topic, advances); !advanced) {
    return Fail(advanced.error());
  }
  if (auto committed = transaction->Commit(); !committed) {
    // Whether it took effect only the offset rows can tell.
    const Outcome outcome = Fail(committed.error());
    for (const auto& one : advances) assignment_.Restart(one.partition);
    return outcome == Outcome::kRefused ? Outcome::kRetry : outcome;
  }
  for (const auto& one : advances) {
    assignment_.Advance(one.partition, one.next_offset, one.last_record_time);
  }
  parts_.applier.Committed(**session);
  return Outcome::kCommitted;
}

}  // namespace heliograph::recorder
