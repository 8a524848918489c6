#include "postgres/action_store.h"

#include <algorithm>
#include <utility>

#include "postgres/action_rows.h"
#include "postgres/array.h"
#include "postgres/transaction.h"

namespace heliograph::postgres {
namespace {

using action::TargetEvent;
using action::TargetStatus;

// The table keeps operators under the empty name.
std::string TenantText(const RequestKey& request) {
  return request.tenant ? request.tenant->str() : std::string();
}

// The least text that is greater, in byte order.
std::string After(const device::ClientId& id) {
  return id.empty() ? std::string() : id.str() + '\x01';
}

TextArray NamesOf(const std::vector<TargetStatus>& statuses) {
  TextArray names;
  for (const TargetStatus status : statuses) names.Add(action::TargetStatusName(status));
  return names;
}

base::Result<AcceptedAction> ReadAccepted(const Rows& rows) {
  AcceptedAction accepted;
  accepted.created_at = rows.GetTimestamp(0, 2);
  accepted.targets.reserve(static_cast<std::size_t>(rows.size()));
  for (int row = 0; row < rows.size(); ++row) {
    const auto status = action::ParseTargetStatus(rows.Get(row, 1));
    if (!status) return base::MakeError(base::ErrorCode::kInternal, "a target has no known status");
    accepted.targets.push_back({device::ClientId(rows.Get(row, 0)), *status});
  }
  std::sort(accepted.targets.begin(), accepted.targets.end(),
            [](const auto& one, const auto& other) { return one.client_id < other.client_id; });
  return accepted;
}

struct Abandoned {
  std::string tenant;
  std::string key;
  action::ActionId action_id;
};

base::Status EndAbandoned(Transaction& transaction, const Abandoned& abandoned) {
  const TextArray open = NamesOf(action::ChangedBy(TargetEvent::kUndeliverable));
  const auto ended = transaction.Execute(
      "UPDATE action_targets t SET status = 'undeliverable', reason = $3, updated_at = now() "
      "FROM (SELECT action_id, client_id FROM action_targets"
      "      WHERE action_id = $1::uuid AND status = ANY ($2::text[]) ORDER BY client_id FOR "
      "UPDATE) AS open "
      "WHERE t.action_id = open.action_id AND t.client_id = open.client_id",
      {abandoned.action_id, open, action::kDispatcherEnded});
  if (!ended) return ended.error();
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

// `condition` says which of the unfinished requests.
base::Result<bool> EndOneAbandoned(Connection& connection, const std::string& condition,
                                   std::initializer_list<Parameter> parameters) {
  auto transaction = Transaction::Begin(connection);
  if (!transaction) return std::move(transaction).error();
  const auto rows = transaction->Execute(
      "SELECT tenant, key, action_id FROM idempotency_keys "
      "WHERE answer IS NULL AND " +
          condition + " ORDER BY lease_until LIMIT 1 FOR UPDATE SKIP LOCKED",
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

base::Result<Pool::Lease> ActionStore::Session() {
  return pool_.Acquire(std::chrono::steady_clock::now() + wait_);
}

base::Result<std::optional<AcceptedAction>> ActionStore::Create(const NewAction& action) {
  auto session = Session();
  if (!session) return std::move(session).error();
  TextArray client_ids;
  for (const device::ClientId& id : action.client_ids) client_ids.Add(id.view());
  const std::string tenant = TenantText(action.request);
  const auto rows = (*session)->Execute(
      "WITH request AS ("
      "  INSERT INTO idempotency_keys (tenant, key, request_hash, action_id, lease_until)"
      "  VALUES ($1, $2, $3, $4::uuid, now() + $5::bigint * interval '1 millisecond')"
      "  ON CONFLICT DO NOTHING RETURNING action_id),"
      " created AS ("
      "  INSERT INTO actions (action_id, tenant, requested_by, directive, payload, metadata)"
      "  SELECT action_id, nullif($1, ''), $6, $7, $8::json, nullif($9, 'null')::json FROM "
      "request) "
      "INSERT INTO action_targets (action_id, client_id, status, reason) "
      "SELECT request.action_id, asked.client_id,"
      "       CASE WHEN c.client_id IS NULL THEN 'unknown' WHEN c.state = 'offline' THEN 'offline' "
      "ELSE 'accepted' END,"
      "       CASE WHEN c.client_id IS NULL THEN $11 WHEN c.state = 'offline' THEN $12 END "
      "FROM request CROSS JOIN unnest($10::text[]) AS asked(client_id) "
      "LEFT JOIN connections c ON c.client_id = asked.client_id AND ($1 = '' OR c.tenant = $1) "
      "RETURNING client_id, status, updated_at",
      {tenant, action.request.key, action.request_hash, action.action.id, action.lease.count(),
       action.action.requested_by, action.action.directive, action.action.payload,
       action.action.metadata, client_ids, action::kNoSuchDevice, action::kNotOnline});
  if (!rows) return rows.error();
  if (rows->empty()) return std::optional<AcceptedAction>();
  auto accepted = ReadAccepted(*rows);
  if (!accepted) return std::move(accepted).error();
  return std::optional(*std::move(accepted));
}

base::Result<std::optional<StoredRequest>> ActionStore::FindRequest(const RequestKey& request) {
  auto session = Session();
  if (!session) return std::move(session).error();
  const std::string tenant = TenantText(request);
  const auto rows = (*session)->Execute(
      "SELECT request_hash, action_id, answer, answer IS NULL AND lease_until < now(),"
      "       created_at < now() - $3::bigint * interval '1 hour' "
      "FROM idempotency_keys WHERE tenant = $1 AND key = $2",
      {tenant, request.key, kKeysAreKept.count()});
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
  auto session = Session();
  if (!session) return std::move(session).error();
  TextArray client_ids;
  TextArray statuses;
  TextArray reasons;
  for (const Outcome& outcome : finished.outcomes) {
    const bool published = outcome.event == TargetEvent::kPublished;
    client_ids.Add(outcome.client_id.view());
    statuses.Add(action::TargetStatusName(published ? TargetStatus::kPublished
                                                    : TargetStatus::kUndeliverable));
    outcome.reason.empty() ? reasons.AddNull() : reasons.Add(outcome.reason);
  }
  const TextArray before_published = NamesOf(action::ChangedBy(TargetEvent::kPublished));
  const TextArray before_undeliverable = NamesOf(action::ChangedBy(TargetEvent::kUndeliverable));
  const std::string tenant = TenantText(finished.request);
  // Targets are locked in the order of client_id, as ApplyReports does.
  const auto rows = (*session)->Execute(
      "WITH request AS ("
      "  UPDATE idempotency_keys SET answer = $4"
      "  WHERE tenant = $1 AND key = $2 AND action_id = $3::uuid AND answer IS NULL RETURNING "
      "action_id),"
      " news AS ("
      "  SELECT t.action_id, t.client_id, o.status, o.reason"
      "  FROM request"
      "  JOIN action_targets t ON t.action_id = request.action_id"
      "  JOIN unnest($5::text[], $6::text[], $7::text[]) AS o(client_id, status, reason) ON "
      "o.client_id = t.client_id"
      "  WHERE t.status = ANY (CASE o.status WHEN 'published' THEN $8::text[] ELSE $9::text[] END)"
      "  ORDER BY t.client_id FOR UPDATE OF t),"
      " changed AS ("
      "  UPDATE action_targets t SET status = news.status, reason = news.reason, updated_at = "
      "$10::timestamptz"
      "  FROM news WHERE t.action_id = news.action_id AND t.client_id = news.client_id) "
      "SELECT action_id FROM request",
      {tenant, finished.request.key, finished.action_id, finished.answer, client_ids, statuses,
       reasons, before_published, before_undeliverable, finished.finished_at});
  if (!rows) return rows.error();
  if (rows->empty()) {
    return base::MakeError(base::ErrorCode::kConflict, "somebody else has finished the request");
  }
  return {};
}

base::Result<bool> ActionStore::FinishAbandoned(const RequestKey& request) {
  auto session = Session();
  if (!session) return std::move(session).error();
  const std::string tenant = TenantText(request);
  return EndOneAbandoned(**session, "lease_until < now() AND tenant = $1 AND key = $2",
                         {tenant, request.key});
}

base::Result<bool> ActionStore::FinishOldestAbandoned(std::chrono::milliseconds grace) {
  auto session = Session();
  if (!session) return std::move(session).error();
  return EndOneAbandoned(**session, "lease_until < now() - $1::bigint * interval '1 millisecond'",
                         {grace.count()});
}

base::Result<std::int64_t> ActionStore::ForgetOldKeys(std::int64_t most) {
  auto session = Session();
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

base::Result<std::optional<action::Action>> ActionStore::Get(
    const action::ActionId& id, const std::optional<device::TenantId>& tenant) {
  auto session = Session();
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
  auto session = Session();
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
  auto session = Session();
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
