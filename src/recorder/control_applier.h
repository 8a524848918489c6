// `device.control` becomes connection state, intervals and events.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "owner/resolver.h"
#include "postgres/pool.h"
#include "recorder/applier.h"
#include "recorder/control_fold.h"
#include "recorder/event_outbox.h"
#include "recorder/owner_sweep.h"
#include "recorder/publisher.h"
#include "recorder/unsettled_owners.h"

namespace heliograph::recorder {

struct ControlOptions {
  std::string control_topic;
  std::string events_topic;
  std::size_t longest_event = 0;  // bytes
};

// Threads: one thread.
class ControlApplier final : public Applier {
 public:
  ControlApplier(const ControlOptions& options, postgres::Pool& pool, owner::Resolver& resolver,
                 Publisher& publisher, metrics::Registry& metrics);

  std::vector<Refusal> Prepare(std::span<const Record> records) override;
  base::Result<std::vector<Refusal>> Apply(postgres::Transaction& transaction,
                                           const Generations& generations) override;
  void Committed(postgres::Connection& connection) override;
  base::Status Take(postgres::Connection& connection, const postgres::LogOffset& offset) override;
  void GiveUp(std::int32_t partition) override;
  void Tick(const Offsets& offsets) override;
  bool Congested() const override;
  void Finish() override;

 private:
  void AddEvent(device::Change change, const device::Connection& connection, const Record& record,
                const Generations& generations);
  void NoteConfirmed();
  void Wake(postgres::Connection& connection);
  void WakeMissed();
  void UpdateOwners(const Offsets& offsets);

  const ControlOptions options_;
  postgres::Pool& pool_;
  owner::Resolver& resolver_;
  Publisher& publisher_;
  const log::Logger log_{"recorder"};
  log::RateLimit sweep_limit_{std::chrono::seconds(30)};
  log::RateLimit wake_limit_{std::chrono::seconds(30)};
  metrics::Counter empty_payloads_;
  ControlFold fold_;
  EventOutbox outbox_;
  UnsettledOwners unsettled_;
  OwnerSweep sweep_;
  std::vector<postgres::OutboxRow> new_rows_;     // of the Apply that is not committed yet
  std::map<std::int32_t, std::size_t> open_row_;  // partition -> index of its last row in new_rows_
  std::vector<postgres::OutboxPlace> told_;       // noted by that Apply
  std::vector<device::ClientId> came_online_;     // by that Apply
  std::vector<device::ClientId> to_wake_;         // came online, and their mailboxes do not know it
  base::SteadyTime wake_at_{};
  base::SteadyTime refresh_at_{};
  base::SteadyTime note_at_{};
};

}  // namespace heliograph::recorder
