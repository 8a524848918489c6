#include "recorder/control_applier.h"

#include "postgres/connection_log.h"
#include "postgres/dispatch_queue.h"
#include "recorder/event.h"

namespace heliograph::recorder {
namespace {

using std::chrono::steady_clock;

// A row of the outbox is closed when it has so many bytes: small enough to be handled in one piece,
// large enough that rows cost little.
constexpr std::size_t kRowBytes = 1024 * 1024;
// More than this unconfirmed, and reading waits.
constexpr std::size_t kMostWaitingBytes = 64 * 1024 * 1024;
constexpr std::chrono::milliseconds kRefreshEvery{1000};
constexpr std::chrono::milliseconds kNoteEvery{200};
constexpr std::chrono::milliseconds kWaitForSession{1000};
constexpr std::chrono::milliseconds kWakeEvery{100};
constexpr std::size_t kMostToWake = 100'000;

}  // namespace

ControlApplier::ControlApplier(const ControlOptions& options, postgres::Pool& pool,
                               owner::Resolver& resolver, Publisher& publisher,
                               metrics::Registry& metrics)
    : options_(options),
      pool_(pool),
      resolver_(resolver),
      publisher_(publisher),
      empty_payloads_(metrics.AddCounter("heliograph_recorder_empty_payloads_total",
                                         "Control messages without a payload: they mean nothing.")),
      outbox_(publisher, options.events_topic, metrics),
      unsettled_(resolver, pool, options.control_topic, metrics),
      sweep_(resolver, pool, options.control_topic, unsettled_) {}

std::vector<Refusal> ControlApplier::Prepare(std::span<const Record> records) {
  std::vector<Refusal> refused = fold_.Prepare(records);
  empty_payloads_.Add(static_cast<double>(fold_.empty_payloads()));
  return refused;
}

void ControlApplier::AddEvent(device::Change change, const device::Connection& connection,
                              const Record& record, const Generations& generations) {
  const std::int32_t generation = generations.at(record.partition);
  const EventOrigin origin{
      options_.control_topic, generation, {record.partition, record.offset}, record.time};
  const auto [place, is_new] = open_row_.emplace(record.partition, new_rows_.size());
  if (is_new || new_rows_[place->second].events.size() >= kRowBytes) {
    place->second = new_rows_.size();
    new_rows_.push_back({record.partition, generation, record.offset, record.offset, ""});
  }
  postgres::OutboxRow& row = new_rows_[place->second];
  row.last_offset = record.offset;
  postgres::AppendConnectionEvent(
      row.events, {connection.client_id.view(),
                   connection.tenant ? connection.tenant->view() : std::string_view(), change,
                   record.offset, WriteEvent(change, connection, origin, options_.longest_event)});
}

base::Result<std::vector<Refusal>> ControlApplier::Apply(postgres::Transaction& transaction,
                                                         const Generations& generations) {
  new_rows_.clear();
  open_row_.clear();
  told_.clear();
  came_online_.clear();
  auto applied = fold_.Apply(
      transaction, generations, &resolver_,
      [&](device::Change change, const device::Connection& connection, const Record& record) {
        if (change == device::Change::kOnline) came_online_.push_back(connection.client_id);
        AddEvent(change, connection, record, generations);
      });
  if (!applied) return std::move(applied).error();
  if (!new_rows_.empty()) {
    if (auto added = postgres::AddToOutbox(transaction, new_rows_); !added)
      return std::move(added).error();
  }
  const auto confirmed = outbox_.Confirmed();
  if (!confirmed.empty()) {
    if (auto noted = postgres::NoteTold(transaction, confirmed); !noted)
      return std::move(noted).error();
    told_ = confirmed;
  }
  return std::vector<Refusal>();
}

void ControlApplier::Committed(postgres::Connection& connection) {
  outbox_.Noted(told_);
  outbox_.Publish(std::move(new_rows_));
  new_rows_.clear();
  told_.clear();
  to_wake_.insert(to_wake_.end(), came_online_.begin(), came_online_.end());
  came_online_.clear();
  for (const UntoldOwner& one : fold_.untold_owners()) unsettled_.Add(one.partition, one.client_id);
  Wake(connection);
}

void ControlApplier::Wake(postgres::Connection& connection) {
  if (to_wake_.empty()) return;
  wake_at_ = steady_clock::now() + kWakeEvery;
  auto missed = postgres::WakeMailboxes(connection, to_wake_);
  if (missed) {
    to_wake_ = *std::move(missed);
    return;
  }
  log_.Warn(wake_limit_, "what waits for devices that came online is sent later",
            {{"why", missed.error().message}});
  // Whoever publishes sweeps for those that are forgotten here.
  if (to_wake_.size() > kMostToWake) to_wake_.clear();
}

void ControlApplier::WakeMissed() {
  if (to_wake_.empty() || steady_clock::now() < wake_at_) return;
  auto session = pool_.Acquire(steady_clock::now() + kWaitForSession);
  if (session) Wake(**session);
}

base::Status ControlApplier::Take(postgres::Connection& connection,
                                  const postgres::LogOffset& offset) {
  auto left = postgres::ReadOutbox(connection, offset.partition);
  if (!left) return std::move(left).error();
  if (!left->empty()) {
    log_.Info("publishing events that were left", {{"partition", offset.partition},
                                                   {"rows", left->size()},
                                                   {"first_offset", left->front().first_offset}});
  }
  outbox_.Take(offset.partition, *std::move(left));
  sweep_.GiveUp(offset.partition);
  unsettled_.GiveUp(offset.partition);
  return {};
}

void ControlApplier::GiveUp(std::int32_t partition) {
  outbox_.GiveUp(partition);
  sweep_.GiveUp(partition);
  unsettled_.GiveUp(partition);
}

// While batches go through, they note what was confirmed; this is for when there are none.
void ControlApplier::NoteConfirmed() {
  const auto confirmed = outbox_.Confirmed();
  if (confirmed.empty() || steady_clock::now() < note_at_) return;
  note_at_ = steady_clock::now() + kNoteEvery;
  auto session = pool_.Acquire(steady_clock::now() + kWaitForSession);
  if (!session) return;  // the next batch says what is wrong with the database
  auto transaction = postgres::Transaction::Begin(**session);
  // Losing this to a crash costs a repeat, so it need not wait for the disk.
  if (!transaction || !transaction->Execute("SET LOCAL synchronous_commit = off")) return;
  if (!postgres::NoteTold(*transaction, confirmed) || !transaction->Commit()) return;
  outbox_.Noted(confirmed);
}

void ControlApplier::Tick(const Offsets& offsets) {
  NoteConfirmed();
  WakeMissed();
  UpdateOwners(offsets);
}

void ControlApplier::UpdateOwners(const Offsets& offsets) {
  const auto warn = [this](const base::Error& error) {
    log_.Warn(sweep_limit_, "owners cannot be brought up to date", {{"why", error.message}});
  };
  if (const auto settled = unsettled_.Step(offsets); !settled) warn(settled.error());
  if (steady_clock::now() < refresh_at_) return;
  resolver_.Refresh();
  const auto more = sweep_.Step(offsets);
  if (!more) warn(more.error());
  const bool at_once = more && *more;
  refresh_at_ = steady_clock::now() + (at_once ? std::chrono::milliseconds(0) : kRefreshEvery);
}

bool ControlApplier::Congested() const { return outbox_.bytes() > kMostWaitingBytes; }

void ControlApplier::Finish() {
  publisher_.Drain(std::chrono::seconds(1));
  note_at_ = {};
  NoteConfirmed();
}

}  // namespace heliograph::recorder
