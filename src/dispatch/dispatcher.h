// Carries out one request for an action: stores it, publishes it, stores what became of it,
// answers; a set of devices it stores only. Once for each Idempotency-Key, whichever replica is
// asked, and whoever dies in between.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "action/request.h"
#include "base/clock.h"
#include "base/result.h"
#include "dispatch/config.h"
#include "dispatch/lease.h"
#include "dispatch/publisher.h"
#include "dispatch/unsaved_outcomes.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "postgres/action_store.h"
#include "postgres/set_store.h"

namespace heliograph::dispatch {

struct Submission {
  postgres::RequestKey key;
  std::string request_hash;  // of request.canonical
  postgres::Origin origin;
  action::Request request;
  std::vector<device::ClientId> forbidden;         // of its targets, sorted: the caller may not
  std::optional<action::ActionId> replay_of = {};  // of whose dead letters the targets are
};

struct Answer {
  action::ActionId action_id;
  std::string body;  // the action, as JSON
};

// How long after the time for publishing a process may still store the outcomes before others take
// over.
inline constexpr std::chrono::seconds kLeaseMargin{5};
// How long after a lease, or after the database's return, others hold back: who has unsaved
// outcomes comes first.
inline constexpr std::chrono::seconds kGrace{2};

// For whom the request is.
postgres::TargetSet TargetSetOf(const action::Request& request,
                                const std::optional<device::TenantId>& tenant);

// Threads: any thread.
class Dispatcher {
 public:
  Dispatcher(postgres::ActionStore& store, postgres::SetStore& sets, Publisher& publisher,
             const Lease& lease, UnsavedOutcomes& unsaved, const ActionsConfig& config,
             const base::Clock& clock, metrics::Registry& metrics);

  // Takes at most the time for publishing, the lease and the grace. Errors:
  // kConflict: the key was used for another request. kInvalidArgument: the deadline has passed, or
  // is too far away; kTooLarge: the broker does not take such a message; nothing is stored.
  // kUnavailable, kDeadlineExceeded: the database or the broker is away, too many actions wait for
  // it, or an earlier request with this key still runs; the same request may be made again.
  //
  // Where the outcomes cannot be stored after publishing, the answer tells them all the same: they
  // are true, and are stored when the database is back.
  base::Result<Answer> Submit(const Submission& submission);

  // kInvalidArgument: the request would not begin before its deadline.
  base::Status CheckStart(const action::Request& request) const;

  // The same for a set of devices, of any size: what may be reached is queued, and the answer does
  // not wait for the broker. `judge` as NewSetAction's; `submission.forbidden` is not looked at.
  base::Result<std::variant<Answer, postgres::SetRefusal>> SubmitSet(
      const Submission& submission, const postgres::Judge& judge,
      const std::optional<postgres::NamedDryRun>& dry_run);

 private:
  // With client ids of the greatest length where none are named.
  base::Status CheckSize(const action::Request& request) const;
  base::Status CheckDeadline(const action::Request& request) const;
  // The answer of the request that took the key first; nullopt: the key is free.
  base::Result<std::optional<Answer>> Follow(const Submission& submission);
  // The earlier request with this key. kConflict: it was another request.
  base::Result<std::optional<postgres::StoredRequest>> FindEarlier(const Submission& submission);
  // `asked_at`: before it was stored. `place` is given back when nothing is published any more.
  base::Result<Answer> Carry(const Submission& submission, const postgres::NewAction& action,
                             const postgres::AcceptedAction& accepted, base::SteadyTime asked_at,
                             Gate::Place place);
  // What is to be stored and answered, from what became of the targets that were sent.
  postgres::FinishedRequest Conclude(const postgres::NewAction& stored,
                                     const postgres::AcceptedAction& accepted,
                                     const std::vector<Fate>& fates,
                                     base::Timestamp finished_at) const;
  base::Result<Answer> Store(const postgres::FinishedRequest& finished);
  postgres::NewAction NewActionOf(const Submission& submission, std::string dispatcher) const;
  void Count(const action::Action& action) const;

  postgres::ActionStore& store_;
  postgres::SetStore& sets_;
  Publisher& publisher_;
  const Lease& lease_;
  UnsavedOutcomes& unsaved_;
  const ActionsConfig config_;
  const base::Clock& clock_;
  const log::Logger log_{"dispatch"};
  log::RateLimit unsaved_line_{std::chrono::seconds(10)};
  metrics::Counter actions_;
  metrics::Counter repeats_;
  const std::vector<metrics::Counter> targets_;  // by action::TargetStatus
  std::atomic<std::int64_t> waiting_twins_{0};
};

}  // namespace heliograph::dispatch
