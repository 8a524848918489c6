#include "postgres/action_store.h"

#include <iterator>
#include <utility>

#include "postgres/action_results.h"
#include "postgres/action_rows.h"
#include "postgres/action_writes.h"
#include "postgres/array.h"
#include "postgres/audit_rows.h"
#include "postgres/dispatch_queue.h"
#include "postgres/transaction.h"

namespace heliograph::postgres {
namespace {

using action::TargetEvent;

// More than this goes alone: many who wait for one that takes long would gain nothing.
constexpr std::size_t kMostTargetsTogether = 16;
constexpr std::size_t kMostBytesTogether = 64 * 1024;

// Of one ExpireDue: a transaction of about a second at most.
constexpr std::int64_t kMostDueTargets = 20'000;

bool MayGoTogether(const NewAction& action) {
  return !action.action.replay_of && action.client_ids.size() <= kMostTargetsTogether &&
         action.action.payload.size() + action.action.metadata.size() <= kMostBytesTogether;
}

bool MayGoTogether(const FinishedRequest& finished) {
  return finished.outcomes.size() <= kMostTargetsTogether &&
         finished.answer.size() <= kMostBytesTogether;
}

// Whether the server refused the whole statement for the sake of one: a value that it does not
// take, a lock that another process holds. Then nothing was stored, and the others may succeed.
bool WasRolledBack(const Connection& connection, const base::Error& error) {
  return connection.healthy() && error.code != base::ErrorCode::kDeadlineExceeded;
}

// All in one statement. nullopt for each: it is to be tried alone.
template <class Answer, class Request, class Statement>
std::vector<std::optional<Answer>> CarryOut(base::Result<Pool::Lease> session,
                                            std::span<const Request* const> requests,
                                            Statement statement) {
  using Answers = std::vector<std::optional<Answer>>;
  if (!session) return Answers(requests.size(), Answer(session.error()));
  auto stored = statement(**session, requests);
  if (stored)
    return Answers(std::move_iterator(stored->begin()), std::move_iterator(stored->end()));
  if (requests.size() > 1 && WasRolledBack(**session, stored.error())) {
    return Answers(requests.size());
  }
  return Answers(requests.size(), Answer(stored.error()));
}

// The least text that is greater, in byte order.
std::string After(const device::ClientId& id) {
  return id.empty() ? std::string() : id.str() + '\x01';
}

struct Abandoned {
  std::string tenant;
  std::string key;
  action::ActionId action_id;
};

base::Status EndAbandoned(Transaction& transaction, const Abandoned& abandoned) {
  const TextArray open = NamesOf(action::ChangedBy(TargetEvent::kQueued));
  static const std::string kQueue =
      "WITH changed AS ("
      "  UPDATE action_targets t SET status = 'queued', reason = $3, updated_at = now()"
      "  FROM (SELECT action_id, client_id FROM action_targets"
      "        WHERE action_id = $1::uuid AND status = ANY ($2::text[]) ORDER BY client_id FOR "
      "UPDATE) AS open"
      "  WHERE t.action_id = open.action_id AND t.client_id = open.client_id"
      "  RETURNING t.action_id, t.client_id, t.status, 1 AS tries)," +
      QueueChanged("now()") + " SELECT count(*) FROM told";
  const auto queued =
      transaction.Execute(kQueue, {abandoned.action_id, open, action::kDispatcherEnded});
  if (!queued) return queued.error();
  auto found = ReadHeader(transaction, abandoned.action_id, std::nullopt);
  if (!found) return std::move(found).error();
  action::Action action;
  if (*found) {
    action = **std::move(found);
  } else {
    action.id =
        abandoned.action_id;  // it was deleted by hand; the key must not stay taken for that
  }
  if (base::Status targets = ReadTargetsOf(transaction, action); !targets) return targets;
  const std::string answer = action::WriteAction(action);
  const auto answered =
      transaction.Execute("UPDATE idempotency_keys SET answer = $3 WHERE tenant = $1 AND key = $2",
                          {abandoned.tenant, abandoned.key, answer});
  if (!answered) return answered.error();
  return {};
}

// Of an unfinished request: nobody is at it any more. A dispatcher that lives has given up
// publishing when its lease is over; one that does not, or does not seem to, must have lost its
// connection to the broker first, and then it has no row any more. $1: milliseconds more for one
// that lives.
constexpr std::string_view kAbandoned =
    "(k.dispatcher <> '' AND d.client_id IS NULL"
    "  OR k.lease_until < now() - $1::bigint * interval '1 millisecond'"
    "     AND (k.dispatcher = '' OR d.lease_until > now() AND NOT d.lost))";
constexpr std::string_view kRequests =
    " FROM idempotency_keys k LEFT JOIN dispatchers d ON d.client_id = k.dispatcher ";

// `condition` says which of the abandoned requests.
base::Result<bool> EndOneAbandoned(Connection& connection, std::string_view condition,
                                   std::initializer_list<Parameter> parameters) {
  auto transaction = Transaction::Begin(connection);
  if (!transaction) return std::move(transaction).error();
  const auto rows = transaction->Execute(
      std::string("SELECT k.tenant, k.key, k.action_id")
          .append(kRequests)
          .append("WHERE k.answer IS NULL AND ")
          .append(kAbandoned)
          .append(condition)
          .append(" ORDER BY k.lease_until LIMIT 1 FOR UPDATE OF k SKIP LOCKED"),
      parameters);
  if (!rows) return rows.error();
  if (rows->empty()) return false;
  const Abandoned abandoned{std::string(rows->Get(0, 0)), std::string(rows->Get(0, 1)),
                            action::ActionId(rows->Get(0, 2))};
  if (base::Status ended = EndAbandoned(*transaction, abandoned); !ended) {
    return std::move(ended).error();
  }
  if (base::Status committed = transaction->Commit(); !committed) {
    return std::move(committed).error();
  }
  return true;
}

}  // namespace

ActionStore::ActionStore(Pool& pool, Pool& together, std::chrono::milliseconds wait)
    : pool_(pool),
      together_(together),
      wait_(wait),
      creates_({},
               [this](std::span<const NewAction* const> actions) {
                 return CarryOut<Created>(Session(together_), actions, CreateTogether);
               }),
      finishes_({}, [this](std::span<const FinishedRequest* const> requests) {
        return CarryOut<base::Status>(Session(together_), requests, FinishTogether);
      }) {}

base::Result<Pool::Lease> ActionStore::Session(Pool& pool) const {
  return pool.Acquire(std::chrono::steady_clock::now() + wait_);
}

base::Status ActionStore::Ping(std::chrono::milliseconds limit) {
  if (base::Status answer = pool_.Ping(limit); !answer) return answer;
  return together_.Ping(limit);
}

ActionStore::Created ActionStore::CreateAlone(const NewAction& action) {
  if (MayGoTogether(action)) {
    if (auto created = creates_.Call(action)) return *std::move(created);
  }
  auto session = Session(pool_);
  if (!session) return std::move(session).error();
  auto created = CreateTogether(**session, std::vector{&action});
  if (!created) return std::move(created).error();
  return std::move(created->front());
}

ActionStore::Created ActionStore::Create(const NewAction& action) {
  Created created = CreateAlone(action);
  if (created && *created) WakeWhoCameOnline(**created);
  return created;
}

// A device that came online between the look at its state and the commit found nothing waiting.
// Without an answer here the sweep finds it.
void ActionStore::WakeWhoCameOnline(const AcceptedAction& accepted) {
  TextArray waiting;
  for (const AcceptedTarget& target : accepted.targets) {
    if (target.status == action::TargetStatus::kQueued) waiting.Add(target.client_id.view());
  }
  if (waiting.size() == 0) return;
  auto session = Session(pool_);
  if (!session) return;
  [[maybe_unused]] const auto woken = (*session)->Execute(
      "WITH woken AS ("
      "  UPDATE mailboxes SET wake_at = now() WHERE client_id IN ("
      "    SELECT m.client_id FROM mailboxes m JOIN connections c ON c.client_id = m.client_id"
      "    WHERE m.client_id = ANY ($1::text[]) AND c.state <> 'offline'"
      "    ORDER BY m.client_id FOR UPDATE OF m) RETURNING 1) "
      "SELECT pg_notify($2, '') FROM woken LIMIT 1",
      {waiting, kDispatchChannel});
}

base::Result<std::optional<StoredRequest>> ActionStore::FindRequest(const RequestKey& request) {
  auto session = Session(pool_);
  if (!session) return std::move(session).error();
  const std::string tenant = TenantText(request);
  static const std::string kFind =
      std::string("SELECT k.request_hash, k.action_id, k.answer, k.answer IS NULL AND ")
          .append(kAbandoned)
          .append(", k.created_at < now() - $4::bigint * interval '1 hour'")
          .append(kRequests)
          .append("WHERE k.tenant = $2 AND k.key = $3");
  const auto rows =
      (*session)->Execute(kFind, {std::int64_t{0}, tenant, request.key, kKeysAreKept.count()});
  if (!rows) return rows.error();
  if (rows->empty()) return std::optional<StoredRequest>();
  const bool old = rows->GetBool(0, 4);
  if (old && !rows->IsNull(0, 2)) {
    const auto forgotten = (*session)->Execute(
        "DELETE FROM idempotency_keys WHERE tenant = $1 AND key = $2 AND answer IS NOT NULL"
        "  AND created_at < now() - $3::bigint * interval '1 hour'",
        {tenant, request.key, kKeysAreKept.count()});
    if (!forgotten) return forgotten.error();
    return std::optional<StoredRequest>();
  }
  StoredRequest stored;
  stored.request_hash = rows->Get(0, 0);
  stored.action_id = action::ActionId(rows->Get(0, 1));
  stored.answer = rows->GetOptional(0, 2);
  stored.abandoned = rows->GetBool(0, 3);
  return std::optional(std::move(stored));
}

base::Status ActionStore::Finish(const FinishedRequest& finished) {
  if (MayGoTogether(finished)) {
    if (auto stored = finishes_.Call(finished)) return *std::move(stored);
  }
  auto session = Session(pool_);
  if (!session) return std::move(session).error();
  auto stored = FinishTogether(**session, std::vector{&finished});
  if (!stored) return std::move(stored).error();
  return std::move(stored->front());
}

base::Result<bool> ActionStore::FinishAbandoned(const RequestKey& request) {
  auto session = Session(pool_);
  if (!session) return std::move(session).error();
  const std::string tenant = TenantText(request);
  return EndOneAbandoned(**session, " AND k.tenant = $2 AND k.key = $3",
                         {std::int64_t{0}, tenant, request.key});
}

base::Result<bool> ActionStore::FinishOldestAbandoned(std::chrono::milliseconds grace) {
  auto session = Session(pool_);
  if (!session) return std::move(session).error();
  return EndOneAbandoned(**session, "", {grace.count()});
}

base::Result<std::optional<action::Target>> ActionStore::Report(
    const device::ClientId& client_id, action::Report report,
    const std::optional<device::TenantId>& tenant) {
  const action::ActionId id = report.action_id;
  {
    auto session = Session(pool_);
    if (!session) return std::move(session).error();
    auto transaction = Transaction::Begin(**session);
    if (!transaction) return std::move(transaction).error();
    const auto now = transaction->Execute(
        "SELECT now() FROM actions WHERE action_id = $1::uuid AND ($2::text IS NULL OR tenant = "
        "$2)",
        {id, tenant});
    if (!now) return now.error();
    if (now->empty()) return std::optional<action::Target>();
    const ReceivedReport received{client_id, std::move(report), now->GetTimestamp(0, 0)};
    const auto applied = ApplyReports(*transaction, std::span(&received, 1));
    if (!applied) return applied.error();
    if (base::Status committed = transaction->Commit(); !committed) {
      return std::move(committed).error();
    }
  }
  return GetTarget(id, client_id, tenant);
}

base::Result<std::optional<action::Action>> ActionStore::Cancel(const action::ActionId& id,
                                                                const Origin& origin) {
  auto session = Session(pool_);
  if (!session) return std::move(session).error();
  auto transaction = Transaction::Begin(**session);
  if (!transaction) return std::move(transaction).error();
  auto action = ReadHeader(*transaction, id, origin.tenant);
  if (!action || !*action) return action;
  // Actions before targets, as all who lock both.
  const auto locked = transaction->Execute(
      "SELECT FROM actions WHERE action_id = $1::uuid FOR NO KEY UPDATE", {id});
  if (!locked) return locked.error();
  const auto ended = transaction->Execute(
      "WITH ended AS ("
      "  UPDATE action_targets t SET status = 'cancelled', updated_at = now(), reason = CASE "
      "t.status WHEN 'queued' THEN CASE WHEN t.reason IN ($6, $7) THEN $4 ELSE $3 END "
      "WHEN 'accepted' THEN $4 ELSE $5 END"
      "  FROM (SELECT action_id, client_id FROM action_targets"
      "        WHERE action_id = $1::uuid AND status = ANY ($2::text[]) ORDER BY client_id FOR "
      "UPDATE) AS open"
      "  WHERE t.action_id = open.action_id AND t.client_id = open.client_id"
      "  RETURNING t.action_id, t.client_id),"
      " unqueued AS (DELETE FROM queued_targets q USING ended e"
      "  WHERE q.client_id = e.client_id AND q.action_id = e.action_id),"
      " unheld AS (DELETE FROM held_targets h USING ended e"
      "  WHERE h.action_id = e.action_id AND h.client_id = e.client_id) "
      "UPDATE actions SET cancelled_at = coalesce(cancelled_at, now()) "
      "WHERE action_id = $1::uuid AND EXISTS (SELECT FROM ended) RETURNING cancelled_at",
      {id, NamesOf(action::ChangedBy(TargetEvent::kCancelled)), action::kBeforeSending,
       action::kWhileSending, action::kAfterSending, action::kNotAcknowledged,
       action::kDispatcherEnded});
  if (!ended) return ended.error();
  if (!ended->empty()) (*action)->cancelled_at = ended->GetTimestamp(0, 0);
  const Decision decision{origin, "cancel", true, "", id, (*action)->directive.str(), std::nullopt};
  if (base::Status audited = AddToAudit(*transaction, decision); !audited) {
    return std::move(audited).error();
  }
  if (base::Status targets = ReadTargetsOf(*transaction, **action); !targets) {
    return std::move(targets).error();
  }
  if (base::Status committed = transaction->Commit(); !committed) {
    return std::move(committed).error();
  }
  return action;
}

// Actions first, then targets, in the order of all who lock several.
base::Result<Expired> ActionStore::ExpireDue(std::int64_t most_actions) {
  auto session = Session(pool_);
  if (!session) return std::move(session).error();
  auto transaction = Transaction::Begin(**session);
  if (!transaction) return std::move(transaction).error();
  // It knows the keys of what it looks for; the planner, who does not know how few they are, would
  // read tables whole.
  const auto planned = transaction->Execute(
      "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', "
      "true),"
      " set_config('enable_mergejoin', 'off', true)",
      {});
  if (!planned) return planned.error();
  const auto due = transaction->Execute(
      "SELECT action_id FROM actions WHERE NOT closed AND deadline <= now() "
      "ORDER BY deadline LIMIT $1::bigint FOR UPDATE SKIP LOCKED",
      {most_actions});
  if (!due) return due.error();
  if (due->empty()) return Expired{};
  TextArray ids;
  for (int row = 0; row < due->size(); ++row) ids.Add(due->Get(row, 0));
  const TextArray open = NamesOf(action::ChangedBy(TargetEvent::kExpired));
  // Of one that is still `accepted` nobody has said yet what the broker did.
  const auto ended = transaction->Execute(
      "WITH ended AS ("
      "  UPDATE action_targets t SET status = 'expired', updated_at = now(),"
      "    reason = CASE t.status WHEN 'queued' THEN coalesce(t.reason, $4)"
      "      WHEN 'accepted' THEN coalesce(t.reason, $5) ELSE $6 END"
      "  FROM (SELECT action_id, client_id FROM action_targets"
      "        WHERE action_id = ANY ($1::text[]::uuid[]) AND status = ANY ($2::text[])"
      "        ORDER BY action_id, client_id LIMIT $3::bigint FOR UPDATE SKIP LOCKED) AS open"
      "  WHERE t.action_id = open.action_id AND t.client_id = open.client_id"
      "  RETURNING t.action_id, t.client_id),"
      " gone AS ("
      "  DELETE FROM queued_targets q USING ended e"
      "  WHERE q.client_id = e.client_id AND q.action_id = e.action_id),"
      " unheld AS ("
      "  DELETE FROM held_targets h USING ended e"
      "  WHERE h.action_id = e.action_id AND h.client_id = e.client_id) "
      "SELECT count(*) FROM ended",
      {ids, open, kMostDueTargets, action::kNotSent, action::kNotAcknowledged, action::kNoAnswer});
  if (!ended) return ended.error();
  const auto closed = transaction->Execute(
      "UPDATE actions a SET closed = true WHERE action_id = ANY ($1::text[]::uuid[]) AND "
      "NOT EXISTS (SELECT FROM action_targets t WHERE t.action_id = a.action_id AND t.status = ANY "
      "($2::text[]))",
      {ids, open});
  if (!closed) return closed.error();
  if (base::Status committed = transaction->Commit(); !committed) {
    return std::move(committed).error();
  }
  // Those that stay open for the sake of a target that somebody holds must not be asked for again
  // and again.
  const std::int64_t targets = ended->GetInt64(0, 0);
  const bool more =
      targets == kMostDueTargets || (due->size() == most_actions && closed->affected() > 0);
  return Expired{targets, more};
}

base::Result<std::int64_t> ActionStore::ForgetOldKeys(std::int64_t most) {
  auto session = Session(pool_);
  if (!session) return std::move(session).error();
  const auto rows = (*session)->Execute(
      "DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY("
      "  SELECT ctid FROM idempotency_keys"
      "  WHERE created_at < now() - $1::bigint * interval '1 hour' AND answer IS NOT NULL"
      "  ORDER BY created_at LIMIT $2::bigint FOR UPDATE SKIP LOCKED))",
      {kKeysAreKept.count(), most});
  if (!rows) return rows.error();
  return rows->affected();
}

base::Status ActionStore::ForgetOldDryRuns() {
  auto session = Session(pool_);
  if (!session) return std::move(session).error();
  const auto forgotten = (*session)->Execute(
      "DELETE FROM dry_runs WHERE created_at < now() - $1::bigint * interval '1 hour'",
      {kDryRunsAreKept.count()});
  if (!forgotten) return forgotten.error();
  return {};
}

base::Result<std::optional<action::Action>> ActionStore::Get(
    const action::ActionId& id, const std::optional<device::TenantId>& tenant) {
  auto session = Session(pool_);
  if (!session) return std::move(session).error();
  auto action = ReadHeader(**session, id, tenant);
  if (!action || !*action) return action;
  if (base::Status targets = ReadTargetsOf(**session, **action); !targets) {
    return std::move(targets).error();
  }
  return action;
}

base::Result<std::optional<std::vector<action::Target>>> ActionStore::ListTargets(
    const TargetQuery& query, const std::optional<device::TenantId>& tenant) {
  using Answer = std::optional<std::vector<action::Target>>;
  auto session = Session(pool_);
  if (!session) return std::move(session).error();
  const auto action = ReadHeader(**session, query.action_id, tenant);
  if (!action) return action.error();
  if (!*action) return Answer();
  auto targets =
      ReadTargets(**session, query.action_id, {query.status, After(query.after), query.limit});
  if (!targets) return std::move(targets).error();
  return Answer(*std::move(targets));
}

base::Result<std::optional<action::Target>> ActionStore::GetTarget(
    const action::ActionId& id, const device::ClientId& client_id,
    const std::optional<device::TenantId>& tenant) {
  using Answer = std::optional<action::Target>;
  auto session = Session(pool_);
  if (!session) return std::move(session).error();
  const auto action = ReadHeader(**session, id, tenant);
  if (!action) return action.error();
  if (!*action) return Answer();
  auto targets = ReadTargets(**session, id, {std::nullopt, client_id.str(), 1});
  if (!targets) return std::move(targets).error();
  if (targets->empty() || targets->front().client_id != client_id) return Answer();
  return Answer(std::move(targets->front()));
}

}  // namespace heliograph::postgres
