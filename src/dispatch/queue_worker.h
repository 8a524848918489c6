// Publishes what waits in the database as soon as its device is online and its turn has come, and
// takes over what a process has left that died.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/wakeup.h"
#include "dispatch/lease.h"
#include "dispatch/publisher.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "postgres/dispatch_queue.h"
#include "postgres/listener.h"
#include "postgres/rollout_store.h"

namespace heliograph::dispatch {

struct QueueWorkerParts {
  postgres::DispatchQueue& queue;
  postgres::RolloutStore& rollouts;
  Publisher& publisher;
  Lease& lease;
  // Ends the connection that the broker has under that client id, as BrokerSession's
  // CloseConnection. kUnavailable: it could not be made sure of.
  std::function<base::Status(const std::string& client_id)> close_connection;
  // Of these devices those that the action's caller may not act on any more, in their order; asked
  // of what was accepted more than a minute ago. An error: nobody can say now.
  std::function<base::Result<std::vector<device::ClientId>>(
      const postgres::QueuedAction& action, std::span<const device::ClientId> client_ids)>
      forbidden;
};

// One target of a device at a time, the oldest first; many devices at once. Threads: its own,
// "queue".
class QueueWorker {
 public:
  QueueWorker(QueueWorkerParts parts, postgres::Config listener, const base::Clock& clock,
              metrics::Registry& metrics);
  ~QueueWorker();  // ends the thread after the turn that it is in

 private:
  void Run(const std::stop_token& stop);
  bool Turn();
  void LookAfter();
  void TakeOver();
  void ReleaseDue();
  bool PublishDue();
  bool SettleAll();
  std::vector<postgres::Settlement> Deliver(const postgres::Claimed& claimed,
                                            const std::string& owner, base::SteadyTime asked_at);
  // Which of the mailboxes, by their indices, hold something that is to be published now; the
  // others are settled.
  std::vector<std::size_t> Choose(const postgres::Claimed& claimed,
                                  std::vector<postgres::Settlement>& settlements);
  std::vector<std::size_t> Permitted(const postgres::Claimed& claimed,
                                     const std::vector<std::size_t>& chosen,
                                     std::vector<postgres::Settlement>& settlements);
  void Conclude(const postgres::Mail& mail, const Fate& fate, postgres::Settlement& settlement);

  const QueueWorkerParts parts_;
  const base::Clock& clock_;
  postgres::Listener listener_;
  const log::Logger log_{"dispatch"};
  log::RateLimit database_line_{std::chrono::seconds(10)};
  log::RateLimit takeover_line_{std::chrono::seconds(10)};
  metrics::Counter published_;
  metrics::Counter again_;
  metrics::Counter taken_over_;
  metrics::Counter released_;
  metrics::Counter aborted_;
  base::SteadyTime look_at_{};
  base::SteadyTime looked_at_{};
  base::SteadyTime claim_at_{};
  base::SteadyTime release_at_{};
  std::optional<base::SteadyTime> reachable_since_;  // the database
  device::ClientId swept_to_;
  // Of the last claim, while the database does not take them.
  std::string unsettled_for_;
  std::vector<postgres::Settlement> unsettled_;
  base::Wakeup wakeup_;
  std::jthread thread_;  // last: it uses everything above
};

}  // namespace heliograph::dispatch
