#include "postgres/rollout_release.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include "action/action.h"
#include "action/rollout.h"
#include "postgres/action_rows.h"
#include "postgres/dispatch_queue.h"
#include "postgres/transaction.h"

namespace heliograph::postgres {
namespace {

using std::chrono::milliseconds;

// Of one look: a transaction of a fraction of a second.
constexpr std::int64_t kMostReleased = 1000;
constexpr std::int64_t kMostCancelled = 10'000;
// More targets are looked at than may go, since some may be offline.
constexpr std::int64_t kMoreLookedAt = 20;
// By then every target has ended, and the rollout is forgotten.
constexpr std::chrono::minutes kForgottenAfter{1};

struct Rolling {
  action::Action action;  // its id, rollout, times and if_offline
  action::RolloutState state;
  bool any_held = false;
};

// Locks it.
base::Result<std::optional<Rolling>> TakeDue(Transaction& transaction) {
  const auto rows = transaction.Execute(
      "SELECT action_id, in_flight, finished, failed, credit, credited_at, moved_at FROM rollouts "
      "WHERE look_at <= now() ORDER BY look_at LIMIT 1 FOR UPDATE SKIP LOCKED");
  if (!rows) return rows.error();
  if (rows->empty()) return std::optional<Rolling>();
  Rolling rolling;
  rolling.action.id = action::ActionId(rows->Get(0, 0));
  rolling.state = {
      rows->GetInt64(0, 1),     rows->GetInt64(0, 2),
      rows->GetInt64(0, 3),     std::strtod(std::string(rows->Get(0, 4)).c_str(), nullptr),
      rows->GetTimestamp(0, 5), rows->GetTimestamp(0, 6)};
  return std::optional(std::move(rolling));
}

// With the rollout locked, in a statement of its own: it sees what was said until then. False:
// there is no such action; it was deleted by hand.
base::Result<bool> Read(Transaction& transaction, Rolling& rolling) {
  const auto rows = transaction.Execute(
      "WITH gone AS (DELETE FROM rollout_changes WHERE action_id = $1::uuid"
      "  RETURNING freed, finished, failed),"
      " news AS (SELECT coalesce(sum(freed), 0)::bigint AS freed,"
      "  coalesce(sum(finished), 0)::bigint AS finished, coalesce(sum(failed), 0)::bigint AS failed"
      "  FROM gone) "
      "SELECT not_before, rate_per_s, max_in_flight, abort_failed_percent, abort_min_finished,"
      "  paused_at, aborted_at, cancelled_at, now(), deadline, if_offline = 'queue', freed,"
      "  finished, failed, EXISTS (SELECT FROM held_targets h WHERE h.action_id = a.action_id) "
      "FROM actions a CROSS JOIN news WHERE a.action_id = $1::uuid",
      {rolling.action.id});
  if (!rows) return rows.error();
  if (rows->empty()) return false;
  action::Action& action = rolling.action;
  ReadCourse(*rows, 0, 0, action);
  action.as_of = rows->GetTimestamp(0, 8);
  action.deadline = rows->GetTimestamp(0, 9);
  if (rows->GetBool(0, 10)) action.if_offline = action::IfOffline::kQueue;
  action::RolloutState& state = rolling.state;
  state.in_flight -= rows->GetInt64(0, 11);
  state.finished += rows->GetInt64(0, 12);
  state.failed += rows->GetInt64(0, 13);
  if (rows->GetInt64(0, 11) > 0) state.moved_at = action.as_of;
  rolling.any_held = rows->GetBool(0, 14);
  return true;
}

// What has no permit yet; what has one goes on. How many it were: kMostCancelled = there may be
// more.
base::Result<std::int64_t> CancelRest(Transaction& transaction, const action::ActionId& id) {
  // Actions before targets, as all who lock both.
  const auto locked =
      transaction.Execute("SELECT FROM actions WHERE action_id = $1::uuid FOR NO KEY UPDATE", {id});
  if (!locked) return locked.error();
  const auto ended = transaction.Execute(
      "WITH rest AS MATERIALIZED ("
      "  SELECT client_id FROM held_targets WHERE action_id = $1::uuid"
      "  UNION SELECT client_id FROM queued_targets WHERE action_id = $1::uuid),"
      " open AS MATERIALIZED ("
      "  SELECT t.client_id FROM rest JOIN action_targets t"
      "    ON t.action_id = $1::uuid AND t.client_id = rest.client_id"
      "  WHERE t.status = 'queued' AND NOT t.permitted"
      "  ORDER BY t.client_id LIMIT $2::bigint FOR UPDATE OF t),"
      " ended AS ("
      "  UPDATE action_targets t SET status = 'cancelled', reason = $3, updated_at = now()"
      "  FROM open WHERE t.action_id = $1::uuid AND t.client_id = open.client_id"
      "  RETURNING t.client_id),"
      " unqueued AS (DELETE FROM queued_targets q USING ended e"
      "  WHERE q.client_id = e.client_id AND q.action_id = $1::uuid),"
      " unheld AS (DELETE FROM held_targets h USING ended e"
      "  WHERE h.action_id = $1::uuid AND h.client_id = e.client_id) "
      "SELECT count(*) FROM ended",
      {id, kMostCancelled, action::kRolloutAborted});
  if (!ended) return ended.error();
  return ended->GetInt64(0, 0);
}

struct Gone {
  std::int64_t published = 0;  // may be, now
  std::int64_t fresh = 0;      // of these, those that were not in flight before
  bool left = false;           // others are held back
};

// Puts the next targets into their mailboxes, until `most` may be published. Those whose device is
// offline go along without a permit: they wait there until it comes online and are held back again
// then, or end if they may not wait. Locks targets, then mailboxes, as Settle.
base::Result<Gone> LetGo(Transaction& transaction, const action::Action& action,
                         std::int64_t most) {
  const std::int64_t looked_at = std::min(2 * most + kMoreLookedAt, kMostReleased);
  const auto rows = transaction.Execute(
      "WITH next AS MATERIALIZED ("
      "  SELECT client_id, place FROM held_targets WHERE action_id = $1::uuid"
      "  ORDER BY place LIMIT $2::bigint),"
      " locked AS MATERIALIZED ("
      "  SELECT t.client_id, t.status, t.permitted FROM next JOIN action_targets t"
      "    ON t.action_id = $1::uuid AND t.client_id = next.client_id"
      "  ORDER BY t.client_id FOR UPDATE OF t),"
      " judged AS MATERIALIZED ("
      "  SELECT next.client_id, l.status = 'queued' AS open, l.permitted,"
      "    coalesce(c.state <> 'offline', false) AS reachable, count(*) FILTER (WHERE"
      "      l.status = 'queued' AND NOT l.permitted AND c.state <> 'offline')"
      "      OVER (ORDER BY next.place) AS nth"
      "  FROM next JOIN locked l ON l.client_id = next.client_id"
      "  LEFT JOIN connections c ON c.client_id = next.client_id),"
      " moved AS MATERIALIZED (SELECT * FROM judged WHERE nth <= $3::bigint),"
      " gone AS (DELETE FROM held_targets h USING moved m"
      "  WHERE h.action_id = $1::uuid AND h.client_id = m.client_id"
      "  RETURNING h.client_id, h.place, h.tries, h.pauses, m.open),"
      " let_go AS (UPDATE action_targets t SET permitted = t.permitted OR $4::boolean AND "
      "    m.reachable, updated_at = now(), reason = CASE WHEN t.reason IN ($5, $6)"
      "      THEN CASE WHEN NOT m.reachable THEN $6 END ELSE t.reason END"
      "  FROM moved m WHERE t.action_id = $1::uuid AND t.client_id = m.client_id AND m.open),"
      " waiting AS (INSERT INTO queued_targets (client_id, place, action_id, tries, pauses)"
      "  OVERRIDING SYSTEM VALUE SELECT client_id, place, $1::uuid, tries, pauses FROM gone"
      "  WHERE open ON CONFLICT DO NOTHING),"
      " due AS (INSERT INTO mailboxes AS m (client_id, wake_at)"
      "  SELECT client_id, CASE WHEN reachable OR NOT $7::boolean THEN now() ELSE 'infinity' END"
      "  FROM moved WHERE open ORDER BY client_id"
      "  ON CONFLICT (client_id) DO UPDATE SET arrivals = m.arrivals + 1,"
      "    wake_at = least(m.wake_at, excluded.wake_at) RETURNING wake_at),"
      " told AS (SELECT pg_notify($8, '') FROM due WHERE wake_at <= now() LIMIT 1) "
      "SELECT count(*) FILTER (WHERE open AND reachable),"
      "  count(*) FILTER (WHERE open AND reachable AND NOT permitted), count(*),"
      "  (SELECT count(*) FROM next), (SELECT count(*) FROM told) FROM moved",
      {action.id, looked_at, most, action.rollout.paces(), action::kHeldBack, action::kNotOnline,
       action.if_offline == action::IfOffline::kQueue, kDispatchChannel});
  if (!rows) return rows.error();
  const std::int64_t seen = rows->GetInt64(0, 3);
  return Gone{rows->GetInt64(0, 0), rows->GetInt64(0, 1),
              seen == looked_at || rows->GetInt64(0, 2) < seen};
}

// Cancels and lets go; when to look again.
base::Result<base::Timestamp> Roll(Transaction& transaction, Rolling& rolling, Released& released) {
  action::Action& action = rolling.action;
  action::RolloutState& state = rolling.state;
  const base::Timestamp now = action.as_of;
  action::AddCredit(action.rollout, now, state);
  if (action.aborted_at || action::MustAbort(action.rollout, state)) {
    const auto cancelled = CancelRest(transaction, action.id);
    if (!cancelled) return cancelled.error();
    // Where nothing is left there is nothing to abort.
    if (*cancelled > 0 && !action.aborted_at) {
      const auto marked = transaction.Execute(
          "UPDATE actions SET aborted_at = now() WHERE action_id = $1::uuid", {action.id});
      if (!marked) return marked.error();
      action.aborted_at = now;
      released.aborted.push_back(action.id);
    }
    if (*cancelled == kMostCancelled) return now;
  }
  const auto soon =
      action.rollout.abort_if && !action.aborted_at ? now + action::kLatest : action.deadline;
  if (action.paused_at || !rolling.any_held) return soon;
  const std::int64_t most = action::MayGo(action.rollout, state, kMostReleased);
  // Those that have a permit and were paused need no other.
  if (most == 0 && !action.aborted_at) return now + action::NextLook(action.rollout, state, now);
  const auto gone = LetGo(transaction, action, most);
  if (!gone) return gone.error();
  released.targets += gone->published;
  if (action.rollout.paces()) state.in_flight += gone->fresh;
  if (action.rollout.rate_per_s) state.credit -= static_cast<double>(gone->fresh);
  if (gone->published > 0) state.moved_at = now;
  return gone->left ? now + action::NextLook(action.rollout, state, now) : soon;
}

base::Status Forget(Transaction& transaction, const action::ActionId& id) {
  for (const char* statement : {"DELETE FROM held_targets WHERE action_id = $1::uuid",
                                "DELETE FROM rollout_changes WHERE action_id = $1::uuid",
                                "DELETE FROM rollouts WHERE action_id = $1::uuid"}) {
    const auto gone = transaction.Execute(statement, {id});
    if (!gone) return gone.error();
  }
  return {};
}

base::Status Write(Transaction& transaction, const Rolling& rolling, base::Timestamp look_at) {
  const action::RolloutState& state = rolling.state;
  const auto written = transaction.Execute(
      "UPDATE rollouts SET look_at = $2::timestamptz, in_flight = $3::bigint, finished = "
      "$4::bigint, failed = $5::bigint, credit = $6::double precision, credited_at = "
      "$7::timestamptz, moved_at = $8::timestamptz WHERE action_id = $1::uuid",
      {rolling.action.id, look_at, state.in_flight, state.finished, state.failed,
       std::to_string(state.credit), state.credited_at, state.moved_at});
  if (!written) return written.error();
  return {};
}

// When to look next; nullopt: never again.
base::Result<std::optional<base::Timestamp>> Look(Transaction& transaction, Rolling& rolling,
                                                  Released& released) {
  const action::Action& action = rolling.action;
  const auto forgotten_at = action.deadline + kForgottenAfter;
  if (action.as_of >= forgotten_at) return std::optional<base::Timestamp>();
  if (action.as_of >= action.deadline || action.cancelled_at) return std::optional(forgotten_at);
  if (action.rollout.not_before && *action.rollout.not_before > action.as_of) {
    return action.rollout.not_before;
  }
  const auto next = Roll(transaction, rolling, released);
  if (!next) return next.error();
  return std::optional(*next);
}

}  // namespace

base::Result<milliseconds> TimeToNextLook(Connection& connection) {
  const auto rows = connection.Execute(
      "SELECT ceil(extract(epoch FROM min(look_at) - now()) * 1000)::bigint FROM rollouts "
      "WHERE look_at < now() + $1::bigint * interval '1 millisecond'",
      {action::kLatest.count()});
  if (!rows) return rows.error();
  if (rows->IsNull(0, 0)) return action::kLatest;
  return std::clamp(milliseconds(rows->GetInt64(0, 0)), milliseconds(0), action::kLatest);
}

base::Result<bool> LookAtOne(Connection& connection, Released& released) {
  auto transaction = Transaction::Begin(connection);
  if (!transaction) return std::move(transaction).error();
  auto rolling = TakeDue(*transaction);
  if (!rolling) return std::move(rolling).error();
  if (!*rolling) return false;
  Released done;
  const auto exists = Read(*transaction, **rolling);
  if (!exists) return exists.error();
  std::optional<base::Timestamp> look_at;
  if (*exists) {
    auto looked = Look(*transaction, **rolling, done);
    if (!looked) return std::move(looked).error();
    look_at = *looked;
  }
  const base::Status written = look_at ? Write(*transaction, **rolling, *look_at)
                                       : Forget(*transaction, (*rolling)->action.id);
  if (!written) return written.error();
  if (base::Status committed = transaction->Commit(); !committed) {
    return std::move(committed).error();
  }
  released.targets += done.targets;
  released.aborted.insert(released.aborted.end(), done.aborted.begin(), done.aborted.end());
  return true;
}

}  // namespace heliograph::postgres
