// Actions, their targets, and the requests that made them. Tables: migrations/0002_actions.up.sql.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "action/action.h"
#include "action/report.h"
#include "base/clock.h"
#include "base/merged_calls.h"
#include "base/result.h"
#include "postgres/audit.h"
#include "postgres/pool.h"
#include "postgres/target_set.h"

namespace heliograph::postgres {

inline constexpr std::chrono::hours kKeysAreKept{24};
inline constexpr std::int64_t kMostDueActions = 1000;  // of one ExpireDue

// Whose request it is, among all that carry an Idempotency-Key.
struct RequestKey {
  std::optional<device::TenantId> tenant;  // nullopt = an operator's
  std::string key;
};

struct NewAction {
  RequestKey request;
  std::string request_hash;
  // Who publishes it, DispatchQueue::Register's; "" = nobody in particular: only `lease` counts.
  std::string dispatcher;
  std::chrono::milliseconds lease{};        // how long the caller of Create has to call Finish
  action::Action action;                    // without times, totals and targets
  std::optional<base::Timestamp> deadline;  // nullopt: `ttl` after acceptance
  std::chrono::seconds ttl{};
  std::vector<device::ClientId> client_ids;  // unique
  std::vector<device::ClientId> forbidden;   // of those, sorted: the caller may not act on them
  Origin origin;                             // for the audit
};

struct AcceptedTarget {
  device::ClientId client_id;
  // Or kQueued, kOffline, kUnknown, kUnauthorised.
  action::TargetStatus status = action::TargetStatus::kAccepted;
  std::string reason;  // why it is so; "" = nothing to say
};

struct AcceptedAction {
  base::Timestamp created_at{};  // by the database's clock, as the deadline
  base::Timestamp deadline{};
  std::vector<AcceptedTarget> targets;  // by client id
};

// A request of the last 24 hours.
struct StoredRequest {
  std::string request_hash;
  action::ActionId action_id;
  std::optional<std::string> answer;  // nullopt = somebody is at it
  bool abandoned = false;             // no answer, and nobody is at it any more
};

struct Outcome {
  device::ClientId client_id;
  // Or kUndeliverable; or kQueued: it may have been published and is tried again.
  action::TargetEvent event = action::TargetEvent::kPublished;
  std::string reason;
};

struct FinishedRequest {
  RequestKey request;
  action::ActionId action_id;
  std::vector<Outcome> outcomes;
  base::Timestamp finished_at{};
  std::string answer;
};

// What ExpireDue has done.
struct Expired {
  std::int64_t targets = 0;  // ended as kExpired
  bool more = false;         // there may be more to do at once
};

struct TargetQuery {
  action::ActionId action_id;
  std::optional<action::TargetStatus> status;
  device::ClientId after;  // "" = from the beginning
  std::int64_t limit = 100;
};

// Every call is one transaction on a session of its own, but for Create and Finish: those that come
// while others are under way wait and go together, in one transaction, so that the disk is waited
// for once. Where the database refuses that for the sake of one, each is tried alone. Errors as
// Connection's. Threads: any thread.
class ActionStore {
 public:
  using Created = base::Result<std::optional<AcceptedAction>>;

  // `wait` bounds how long a call waits for a session. What goes together has its sessions from
  // `together`, at most two at a time; see kByKeysOnly.
  ActionStore(Pool& pool, Pool& together, std::chrono::milliseconds wait);
  ActionStore(Pool& pool, std::chrono::milliseconds wait) : ActionStore(pool, pool, wait) {}
  ActionStore(const ActionStore&) = delete;
  ActionStore& operator=(const ActionStore&) = delete;

  // Whether the database answers, in all sessions that actions need: for /readyz.
  base::Status Ping(std::chrono::milliseconds limit);

  // Stores request, action and targets, and looks each target up: kAccepted where it may be reached
  // (online, or nobody can say), kOffline, kUnauthorised where it is forbidden, or kUnknown where
  // this tenant has no such device. Where the action may wait, kQueued instead of kOffline, and
  // also where something else waits for the device already. nullopt: the key is taken, or the
  // dispatcher has no lease any more; nothing was stored.
  Created Create(const NewAction& action);

  // nullopt: there is none, or it is older than kKeysAreKept and was forgotten now.
  base::Result<std::optional<StoredRequest>> FindRequest(const RequestKey& request);

  // Stores what became of the targets, as far as that is still news, and the answer. kConflict: the
  // lease was over and somebody else finished the request; nothing was changed.
  base::Status Finish(const FinishedRequest& finished);

  // Finishes the request if it is abandoned: its dispatcher is gone, or has not finished it within
  // its lease though it lives. The targets that are still kAccepted are kQueued with
  // kDispatcherEnded, and the answer says so. False: there is nothing to finish, or another process
  // is at it.
  base::Result<bool> FinishAbandoned(const RequestKey& request);
  // The same for whichever abandoned request has the oldest lease; a living dispatcher has `grace`
  // more.
  base::Result<bool> FinishOldestAbandoned(std::chrono::milliseconds grace);

  // What equipment whose way back is not the broker says of its target, by the rules of
  // ApplyReports; received now. The target as it is then. nullopt as GetTarget.
  base::Result<std::optional<action::Target>> Report(const device::ClientId& client_id,
                                                     action::Report report,
                                                     const std::optional<device::TenantId>& tenant);

  // Ends every target that is open as kCancelled; the action as it is then. nullopt as Get. To
  // cancel once more changes no target. `origin` is whose action may be cancelled, too.
  base::Result<std::optional<action::Action>> Cancel(const action::ActionId& id,
                                                     const Origin& origin);

  // Ends targets that are open though the deadline of their action has passed, a bounded number of
  // them, of `most_actions` at most; other replicas may do the same at the same time. What another
  // session holds just then is left for the next call.
  base::Result<Expired> ExpireDue(std::int64_t most_actions = kMostDueActions);

  // Forgets at most `most` keys that are older than kKeysAreKept. How many it were.
  base::Result<std::int64_t> ForgetOldKeys(std::int64_t most);
  // Forgets dry runs that are older than kDryRunsAreKept.
  base::Status ForgetOldDryRuns();

  // nullopt: no such action, or another tenant's. `tenant` null = an operator asks.
  base::Result<std::optional<action::Action>> Get(const action::ActionId& id,
                                                  const std::optional<device::TenantId>& tenant);
  // By client id. nullopt as Get.
  base::Result<std::optional<std::vector<action::Target>>> ListTargets(
      const TargetQuery& query, const std::optional<device::TenantId>& tenant);
  // nullopt: no such action, another tenant's, or not a target of it. The result is always in full.
  base::Result<std::optional<action::Target>> GetTarget(
      const action::ActionId& id, const device::ClientId& client_id,
      const std::optional<device::TenantId>& tenant);

 private:
  base::Result<Pool::Lease> Session(Pool& pool) const;
  Created CreateAlone(const NewAction& action);
  void WakeWhoCameOnline(const AcceptedAction& accepted);

  Pool& pool_;
  Pool& together_;
  const std::chrono::milliseconds wait_;
  // nullopt: to be tried alone.
  base::MergedCalls<NewAction, std::optional<Created>> creates_;
  base::MergedCalls<FinishedRequest, std::optional<base::Status>> finishes_;
};

}  // namespace heliograph::postgres
