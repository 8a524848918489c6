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
#include "base/clock.h"
#include "base/result.h"
#include "postgres/pool.h"

namespace heliograph::postgres {

inline constexpr std::chrono::hours kKeysAreKept{24};

// Whose request it is, among all that carry an Idempotency-Key.
struct RequestKey {
  std::optional<device::TenantId> tenant;  // nullopt = an operator's
  std::string key;
};

struct NewAction {
  RequestKey request;
  std::string request_hash;
  std::chrono::milliseconds lease{};         // how long the caller of Create has to call Finish
  action::Action action;                     // without created_at, totals and targets
  std::vector<device::ClientId> client_ids;  // unique
};

struct AcceptedTarget {
  device::ClientId client_id;
  action::TargetStatus status = action::TargetStatus::kAccepted;  // or kOffline, kUnknown
};

struct AcceptedAction {
  base::Timestamp created_at{};
  std::vector<AcceptedTarget> targets;  // by client id
};

// A request of the last 24 hours.
struct StoredRequest {
  std::string request_hash;
  action::ActionId action_id;
  std::optional<std::string> answer;  // nullopt = somebody is at it
  bool abandoned = false;             // no answer, and its lease is over
};

struct Outcome {
  device::ClientId client_id;
  action::TargetEvent event = action::TargetEvent::kPublished;  // or kUndeliverable
  std::string reason;
};

struct FinishedRequest {
  RequestKey request;
  action::ActionId action_id;
  std::vector<Outcome> outcomes;
  base::Timestamp finished_at{};
  std::string answer;
};

struct TargetQuery {
  action::ActionId action_id;
  std::optional<action::TargetStatus> status;
  device::ClientId after;  // "" = from the beginning
  std::int64_t limit = 100;
};

// Every call is one transaction on a session of its own. Errors as Connection's. Threads: any
// thread.
class ActionStore {
 public:
  // `wait` bounds how long a call waits for a session.
  ActionStore(Pool& pool, std::chrono::milliseconds wait) : pool_(pool), wait_(wait) {}

  // Stores request, action and targets, and looks each target up: kAccepted where it may be reached
  // (online, or nobody can say), kOffline, or kUnknown where this tenant has no such device.
  // nullopt: the key is taken; nothing was stored.
  base::Result<std::optional<AcceptedAction>> Create(const NewAction& action);

  // nullopt: there is none, or it is older than kKeysAreKept and was forgotten now.
  base::Result<std::optional<StoredRequest>> FindRequest(const RequestKey& request);

  // Stores what became of the targets, as far as that is still news, and the answer. kConflict: the
  // lease was over and somebody else finished the request; nothing was changed.
  base::Status Finish(const FinishedRequest& finished);

  // Finishes the request if its lease is over: its targets that wait for a broker end as
  // kUndeliverable with kDispatcherEnded, and the answer says so. False: there is nothing to
  // finish, or another process is at it.
  base::Result<bool> FinishAbandoned(const RequestKey& request);
  // The same for whichever request's lease has been over for the longest, and for `grace` at least.
  base::Result<bool> FinishOldestAbandoned(std::chrono::milliseconds grace);

  // Forgets at most `most` keys that are older than kKeysAreKept. How many it were.
  base::Result<std::int64_t> ForgetOldKeys(std::int64_t most);

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
  base::Result<Pool::Lease> Session();

  Pool& pool_;
  const std::chrono::milliseconds wait_;
};

}  // namespace heliograph::postgres
