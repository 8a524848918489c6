#include "postgres/set_store.h"

#include <utility>

#include "action/request.h"
#include "postgres/action_rows.h"
#include "postgres/action_writes.h"
#include "postgres/audit_rows.h"
#include "postgres/dispatch_queue.h"
#include "postgres/selection.h"

namespace heliograph::postgres {
namespace {

using Refused = std::optional<SetRefusal>;

// While somebody else is asked about a slice, the transaction is idle.
constexpr std::string_view kPatience = "SET LOCAL idle_in_transaction_session_timeout = '60s'";

base::Result<bool> TakeKey(Transaction& transaction, const NewAction& action) {
  const std::string tenant = TenantText(action.request);
  const auto taken = transaction.Execute(
      "INSERT INTO idempotency_keys (tenant, key, request_hash, action_id, lease_until) "
      "VALUES ($1, $2, $3, $4::uuid, now() + $5::bigint * interval '1 millisecond') "
      "ON CONFLICT DO NOTHING",
      {tenant, action.request.key, action.request_hash, action.action.id, action.lease.count()});
  if (!taken) return taken.error();
  return taken->affected() == 1;
}

// Fills in the times.
base::Status AddAction(Transaction& transaction, const NewAction& from, action::Action& action) {
  const action::Rollout& rollout = action.rollout;
  const auto& abort_if = rollout.abort_if;
  const auto added = transaction.Execute(
      "INSERT INTO actions (action_id, tenant, requested_by, directive, payload, metadata, "
      "deadline, if_offline, not_before, rate_per_s, max_in_flight, abort_failed_percent, "
      "abort_min_finished, paced) "
      "VALUES ($1::uuid, $2, $3, $4, $5::json, nullif($6, 'null')::json, "
      "coalesce($7::timestamptz, now() + $8::bigint * interval '1 second'), $9, $10::timestamptz, "
      "$11::integer, $12::integer, $13::smallint, $14::integer, $15::boolean) "
      "RETURNING created_at, deadline",
      {action.id, from.request.tenant, action.requested_by, action.directive, action.payload,
       action.metadata, from.deadline, from.ttl.count(), action::IfOfflineName(action.if_offline),
       rollout.not_before, rollout.rate_per_s, rollout.max_in_flight,
       abort_if ? Parameter(abort_if->failed_percent) : Parameter(std::nullopt),
       abort_if ? Parameter(abort_if->min_finished) : Parameter(std::nullopt), rollout.paces()});
  if (!added) return added.error();
  action.created_at = added->GetTimestamp(0, 0);
  action.deadline = added->GetTimestamp(0, 1);
  action.as_of = action.created_at;
  return {};
}

// Who begins later looks then who is online.
bool MayWait(const action::Action& action) {
  return action.if_offline == action::IfOffline::kQueue || action.rollout.not_before;
}

// Why a target waits that may be reached; "" = it does not have to.
std::string_view WhyReachableWaits(const action::Action& action) {
  return action.rollout.any() ? action::kHeldBack : std::string_view();
}

// Where somebody must be asked first, a target that exists is `accepted` meanwhile: nobody else
// sees it before all is settled.
base::Result<std::int64_t> AddTargets(Transaction& transaction, const NewSetAction& action,
                                      const Selection& selection) {
  const auto added = transaction.Execute(
      "INSERT INTO action_targets (action_id, client_id, status, reason) "
      "SELECT $1::uuid, s.client_id, CASE WHEN s.state IS NULL THEN 'unknown' "
      "WHEN $2::boolean THEN 'accepted' WHEN s.state = 'offline' AND NOT $3::boolean THEN "
      "'offline' ELSE 'queued' END, "
      "CASE WHEN s.state IS NULL THEN $4 WHEN s.state = 'offline' THEN $5 WHEN NOT $2::boolean "
      "THEN "
      "nullif($6, '') END FROM (" +
          selection.text() + ") AS s ORDER BY s.client_id",
      selection.With({action.action.action.id, static_cast<bool>(action.judge),
                      MayWait(action.action.action), action::kNoSuchDevice, action::kNotOnline,
                      WhyReachableWaits(action.action.action)}));
  if (!added) return added.error();
  return added->affected();
}

std::vector<device::ClientId> IdsIn(const Rows& rows) {
  std::vector<device::ClientId> ids;
  ids.reserve(static_cast<std::size_t>(rows.size()));
  for (int row = 0; row < rows.size(); ++row) ids.emplace_back(rows.Get(row, 0));
  return ids;
}

TextArray ArrayOf(const std::vector<device::ClientId>& ids) {
  TextArray array;
  for (const device::ClientId& id : ids) array.Add(id.view());
  return array;
}

base::Status JudgeTargets(Transaction& transaction, const NewSetAction& action) {
  if (!action.judge) return {};
  const action::ActionId& id = action.action.action.id;
  device::ClientId after;
  while (true) {
    const auto slice = transaction.Execute(
        "SELECT client_id FROM action_targets WHERE action_id = $1::uuid AND client_id > $2 "
        "AND status = 'accepted' ORDER BY client_id LIMIT $3::bigint",
        {id, after, kMostJudgedAtOnce});
    if (!slice) return slice.error();
    if (slice->empty()) break;
    const std::vector<device::ClientId> asked = IdsIn(*slice);
    after = asked.back();
    const auto forbidden = action.judge(asked);
    if (!forbidden) return forbidden.error();
    if (forbidden->empty()) continue;
    const auto marked = transaction.Execute(
        "UPDATE action_targets SET status = 'unauthorised', reason = $3 "
        "WHERE action_id = $1::uuid AND client_id = ANY ($2::text[])",
        {id, ArrayOf(*forbidden), action::kNotPermitted});
    if (!marked) return marked.error();
  }
  const auto settled = transaction.Execute(
      "UPDATE action_targets SET status = CASE WHEN reason IS NULL OR $2::boolean THEN 'queued' "
      "ELSE 'offline' END, reason = coalesce(reason, nullif($3, '')) "
      "WHERE action_id = $1::uuid AND status = 'accepted'",
      {id, MayWait(action.action.action), WhyReachableWaits(action.action.action)});
  if (!settled) return settled.error();
  return {};
}

base::Result<Refused> FindDryRun(Transaction& transaction, const NewSetAction& action) {
  if (!action.dry_run) return Refused();
  const auto rows = transaction.Execute(
      "SELECT meaning = $3 FROM dry_runs WHERE dry_run_id = $1::uuid AND tenant = "
      "coalesce($2::text, '') AND created_at > now() - $4::bigint * interval '1 hour'",
      {action.dry_run->id, action.set.tenant, action.dry_run->meaning, kDryRunsAreKept.count()});
  if (!rows) return rows.error();
  if (rows->empty()) return Refused(SetRefusal{SetRefusal::Why::kNoDryRun});
  if (!rows->GetBool(0, 0)) return Refused(SetRefusal{SetRefusal::Why::kOtherRequest});
  return Refused();
}

base::Result<Refused> CompareWithDryRun(Transaction& transaction, const NewSetAction& action) {
  if (!action.dry_run) return Refused();
  const auto rows = transaction.Execute(
      "SELECT count(*) FILTER (WHERE d.client_id IS NULL), count(*) FILTER (WHERE t.client_id IS "
      "NULL) FROM (SELECT client_id FROM action_targets WHERE action_id = $1::uuid) AS t "
      "FULL JOIN (SELECT unnest(client_ids) AS client_id FROM dry_runs WHERE dry_run_id = "
      "$2::uuid) AS d ON d.client_id = t.client_id",
      {action.action.action.id, action.dry_run->id});
  if (!rows) return rows.error();
  const SetRefusal changed{SetRefusal::Why::kChanged, 0, rows->GetInt64(0, 0),
                           rows->GetInt64(0, 1)};
  return changed.added + changed.removed > 0 ? Refused(changed) : Refused();
}

// What waits for its turn has no place in any queue yet.
base::Status HoldBack(Transaction& transaction, const action::Action& action) {
  const auto held = transaction.Execute(
      "INSERT INTO held_targets (action_id, client_id) SELECT action_id, client_id "
      "FROM action_targets WHERE action_id = $1::uuid AND status = 'queued' ORDER BY client_id",
      {action.id});
  if (!held) return held.error();
  const auto begun = transaction.Execute(
      "INSERT INTO rollouts (action_id, look_at) "
      "VALUES ($1::uuid, greatest(now(), $2::timestamptz))",
      {action.id, action.rollout.not_before});
  if (!begun) return begun.error();
  return {};
}

// Last of all: other transactions wait for the mailboxes that this one holds.
base::Status Queue(Transaction& transaction, const action::ActionId& id) {
  const auto queued = transaction.Execute(
      "INSERT INTO queued_targets (client_id, action_id) SELECT client_id, action_id "
      "FROM action_targets WHERE action_id = $1::uuid AND status = 'queued' ORDER BY client_id",
      {id});
  if (!queued) return queued.error();
  if (queued->affected() == 0) return {};
  const auto due = transaction.Execute(
      "INSERT INTO mailboxes AS m (client_id, wake_at) SELECT client_id, CASE WHEN reason IS NULL "
      "THEN now() ELSE 'infinity' END FROM action_targets WHERE action_id = $1::uuid AND status = "
      "'queued' ORDER BY client_id ON CONFLICT (client_id) DO UPDATE SET arrivals = m.arrivals + "
      "1, wake_at = least(m.wake_at, excluded.wake_at)",
      {id});
  if (!due) return due.error();
  const auto told = transaction.Execute("SELECT pg_notify($1, '')", {kDispatchChannel});
  if (!told) return told.error();
  return {};
}

base::Status Conclude(Transaction& transaction, const NewAction& from, std::int64_t targets,
                      CreatedSet& created) {
  if (base::Status read = ReadTargetsOf(transaction, created.action); !read) return read;
  created.answer = action::WriteAction(created.action);
  const std::string tenant = TenantText(from.request);
  const auto answered =
      transaction.Execute("UPDATE idempotency_keys SET answer = $3 WHERE tenant = $1 AND key = $2",
                          {tenant, from.request.key, created.answer});
  if (!answered) return answered.error();
  return AddToAudit(transaction, {from.origin, "create", true, "", created.action.id,
                                  created.action.directive.str(), targets});
}

// All between the key and the answer.
base::Result<Refused> Fill(Transaction& transaction, const NewSetAction& action,
                           CreatedSet& created) {
  auto refused = FindDryRun(transaction, action);
  if (!refused || *refused) return refused;
  refused = RefuseSet(transaction, action.set);
  if (!refused || *refused) return refused;
  const auto selection = Selection::Of(transaction, action.set, 7);
  if (!selection) return selection.error();
  if (base::Status added = AddAction(transaction, action.action, created.action); !added) {
    return std::move(added).error();
  }
  const auto targets = AddTargets(transaction, action, *selection);
  if (!targets) return targets.error();
  if (*targets == 0) return Refused(SetRefusal{SetRefusal::Why::kNobody});
  if (*targets > action::kMostResolved) {
    return Refused(SetRefusal{SetRefusal::Why::kTooMany, *targets});
  }
  refused = CompareWithDryRun(transaction, action);
  if (!refused || *refused) return refused;
  if (base::Status judged = JudgeTargets(transaction, action); !judged) {
    return std::move(judged).error();
  }
  const base::Status queued = created.action.rollout.any() ? HoldBack(transaction, created.action)
                                                           : Queue(transaction, created.action.id);
  if (!queued) return queued.error();
  if (base::Status concluded = Conclude(transaction, action.action, *targets, created);
      !concluded) {
    return std::move(concluded).error();
  }
  return Refused();
}

}  // namespace

base::Result<SetCreation> SetStore::Create(const NewSetAction& action) {
  auto session = pool_.Acquire(std::chrono::steady_clock::now() + wait_);
  if (!session) return std::move(session).error();
  auto transaction = Transaction::Begin(**session);
  if (!transaction) return std::move(transaction).error();
  if (auto set = transaction->Execute(kPatience); !set) return set.error();
  const auto taken = TakeKey(*transaction, action.action);
  if (!taken) return taken.error();
  if (!*taken) return SetCreation(std::monostate());
  CreatedSet created;
  created.action = action.action.action;
  created.action.tenant = action.action.request.tenant;
  const auto refused = Fill(*transaction, action, created);
  if (!refused) return refused.error();
  if (*refused) return SetCreation(**refused);
  if (base::Status committed = transaction->Commit(); !committed) {
    return std::move(committed).error();
  }
  WakeWhoCameOnline(**session, created.action.id);
  return SetCreation(std::move(created));
}

// As ActionStore's: a device that came online between the look at its state and the commit found
// nothing waiting. What is missed here the sweep finds.
void SetStore::WakeWhoCameOnline(Connection& connection, const action::ActionId& id) {
  [[maybe_unused]] const auto woken = connection.Execute(
      "WITH woken AS ("
      "  UPDATE mailboxes SET wake_at = now() WHERE client_id IN ("
      "    SELECT m.client_id FROM queued_targets q"
      "    JOIN connections c ON c.client_id = q.client_id AND c.state <> 'offline'"
      "    JOIN mailboxes m ON m.client_id = q.client_id"
      "    WHERE q.action_id = $1::uuid AND m.owner IS NULL AND m.wake_at = 'infinity'"
      "    ORDER BY m.client_id FOR UPDATE OF m SKIP LOCKED) RETURNING 1) "
      "SELECT pg_notify($2, '') FROM woken LIMIT 1",
      {id, kDispatchChannel});
}

}  // namespace heliograph::postgres
