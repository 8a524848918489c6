#include "postgres/action_writes.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "postgres/array.h"
#include "postgres/dispatch_queue.h"

namespace heliograph::postgres {
namespace {

using action::TargetEvent;
using action::TargetStatus;

// In the order of the keys: two replicas whose batches share keys wait for each other then, and
// never in a circle.
template <class Request>
std::vector<const Request*> ByKey(std::span<const Request* const> requests) {
  std::vector<const Request*> sorted(requests.begin(), requests.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const Request* one, const Request* other) {
    return std::pair(TenantText(one->request), one->request.key) <
           std::pair(TenantText(other->request), other->request.key);
  });
  return sorted;
}

// One array for each column of the rows to be.
struct NewRows {
  TextArray tenants, keys, hashes, action_ids, requested_by, directives, payloads, metadata;
  TextArray dispatchers, if_offline, addresses, forwarded_for, request_ids, replay_of,
      caller_tenants;
  Int64Array leases, ttls, target_counts;
  TimestampArray deadlines;
  TextArray target_actions, target_tenants, target_clients;
  BoolArray target_forbidden, target_may_wait;

  void Add(const NewAction& action) {
    const std::string tenant = TenantText(action.request);
    tenants.Add(tenant);
    keys.Add(action.request.key);
    hashes.Add(action.request_hash);
    action_ids.Add(action.action.id.view());
    leases.Add(action.lease.count());
    requested_by.Add(action.action.requested_by);
    directives.Add(action.action.directive.view());
    payloads.Add(action.action.payload);
    metadata.Add(action.action.metadata);
    ttls.Add(action.ttl.count());
    deadlines.AddOptional(action.deadline);
    dispatchers.Add(action.dispatcher);
    if_offline.Add(action::IfOfflineName(action.action.if_offline));
    addresses.Add(action.origin.address);
    forwarded_for.Add(action.origin.forwarded_for);
    request_ids.Add(action.origin.request_id);
    replay_of.AddOptional(action.action.replay_of ? std::optional(action.action.replay_of->str())
                                                  : std::nullopt);
    caller_tenants.AddOptional(action.origin.tenant ? std::optional(action.origin.tenant->str())
                                                    : std::nullopt);
    target_counts.Add(static_cast<std::int64_t>(action.client_ids.size()));
    for (const device::ClientId& client_id : action.client_ids) {
      target_actions.Add(action.action.id.view());
      target_tenants.Add(tenant);
      target_clients.Add(client_id.view());
      target_forbidden.Add(
          std::binary_search(action.forbidden.begin(), action.forbidden.end(), client_id));
      target_may_wait.Add(action.action.if_offline == action::IfOffline::kQueue);
    }
  }
};

struct FinishedRows {
  TextArray tenants, keys, action_ids, answers;
  TextArray target_actions, target_clients, statuses, reasons;
  TimestampArray finished_at;

  void Add(const FinishedRequest& request) {
    tenants.Add(TenantText(request.request));
    keys.Add(request.request.key);
    action_ids.Add(request.action_id.view());
    answers.Add(request.answer);
    for (const Outcome& outcome : request.outcomes) {
      target_actions.Add(request.action_id.view());
      target_clients.Add(outcome.client_id.view());
      statuses.Add(action::TargetStatusName(
          action::Next(TargetStatus::kAccepted, outcome.event).value_or(TargetStatus::kAccepted)));
      outcome.reason.empty() ? reasons.AddNull() : reasons.Add(outcome.reason);
      finished_at.Add(request.finished_at);
    }
  }
};

using ByActionId = std::map<std::string, AcceptedAction, std::less<>>;

base::Result<ByActionId> ReadAccepted(const Rows& rows) {
  ByActionId accepted;
  for (int row = 0; row < rows.size(); ++row) {
    const auto status = action::ParseTargetStatus(rows.Get(row, 2));
    if (!status) return base::MakeError(base::ErrorCode::kInternal, "a target has no known status");
    AcceptedAction& action = accepted[std::string(rows.Get(row, 0))];
    action.created_at = rows.GetTimestamp(row, 3);
    action.targets.push_back(
        {device::ClientId(rows.Get(row, 1)), *status, std::string(rows.Get(row, 4))});
  }
  for (auto& [id, action] : accepted) {
    std::sort(action.targets.begin(), action.targets.end(),
              [](const auto& one, const auto& other) { return one.client_id < other.client_id; });
  }
  return accepted;
}

base::Error FinishedByOther() {
  return base::MakeError(base::ErrorCode::kConflict, "somebody else has finished the request");
}

// The dead letters of the action's targets are decided about, by what tries them again.
constexpr std::string_view kReplayed =
    " replayed AS ("
    "  UPDATE dead_letters d SET state = 'replayed', decided_at = now(),"
    "    decided_by = asked.requested_by, replayed_as = asked.action_id"
    "  FROM request JOIN asked USING (action_id) JOIN unnest($10::text[]::uuid[], $12::text[])"
    "    AS t(action_id, client_id) USING (action_id)"
    "  WHERE d.action_id = asked.replay_of AND d.client_id = t.client_id AND d.state = 'open'),";

// `more`: further parts of its WITH list.
std::string CreateStatement(std::string_view more) {
  return "WITH asked AS MATERIALIZED ("
         "  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]::uuid[], "
         "$5::bigint[],"
         "                       $6::text[], $7::text[], $8::text[], $9::text[], $15::bigint[], "
         "$16::timestamptz[], $19::text[], $20::text[], $22::text[], $23::text[], $24::text[], "
         "$25::bigint[], $26::text[]::uuid[], $27::text[])"
         "    AS a(tenant, key, request_hash, action_id, lease, requested_by, directive, payload, "
         "metadata, ttl, deadline, dispatcher, if_offline, address, forwarded_for, request_id, "
         "targets, replay_of, caller_tenant)),"
         " request AS ("
         "  INSERT INTO idempotency_keys (tenant, key, request_hash, action_id, lease_until, "
         "dispatcher)"
         "  SELECT tenant, key, request_hash, action_id, now() + lease * interval '1 millisecond', "
         "dispatcher FROM asked"
         "  WHERE dispatcher = '' OR EXISTS (SELECT FROM dispatchers d WHERE d.client_id = "
         "asked.dispatcher AND NOT d.lost)"
         "  ON CONFLICT DO NOTHING RETURNING action_id),"
         " created AS ("
         "  INSERT INTO actions (action_id, tenant, requested_by, directive, payload, metadata, "
         "deadline, if_offline, replay_of)"
         "  SELECT action_id, nullif(tenant, ''), requested_by, directive, payload::json,"
         "         nullif(metadata, 'null')::json, coalesce(deadline, now() + ttl * interval '1 "
         "second'), if_offline, replay_of"
         "  FROM request JOIN asked USING (action_id)),"
         " audited AS ("
         "  INSERT INTO audit (caller, tenant, address, forwarded_for, request_id, deed, decision, "
         "action_id, directive, targets)"
         "  SELECT requested_by, caller_tenant, address, nullif(forwarded_for, ''), "
         "request_id, "
         "CASE WHEN replay_of IS NULL THEN 'create' ELSE 'replay' END, 'accepted', action_id, "
         "directive, targets"
         "  FROM request JOIN asked USING (action_id)),"
         " changed AS ("
         "  INSERT INTO action_targets AS s (action_id, client_id, status, reason)"
         "  SELECT action_id, t.client_id,"
         "       CASE WHEN c.client_id IS NULL THEN 'unknown' WHEN t.forbidden THEN 'unauthorised' "
         "WHEN c.state = 'offline' THEN CASE WHEN t.may_wait THEN 'queued' ELSE 'offline' END "
         "WHEN m.client_id IS NOT NULL THEN 'queued' ELSE 'accepted' END,"
         "       CASE WHEN c.client_id IS NULL THEN $13 WHEN t.forbidden THEN $18 "
         "WHEN c.state = 'offline' THEN $14 END"
         "  FROM request JOIN unnest($10::text[]::uuid[], $11::text[], $12::text[], "
         "$17::boolean[], "
         "$21::boolean[]) AS t(action_id, tenant, client_id, forbidden, may_wait) USING (action_id)"
         "  LEFT JOIN connections c ON c.client_id = t.client_id AND (t.tenant = '' OR c.tenant = "
         "t.tenant)"
         "  LEFT JOIN mailboxes m ON m.client_id = t.client_id AND t.may_wait"
         "  RETURNING s.action_id, s.client_id, s.status, s.updated_at, s.reason, 0 AS tries)," +
         std::string(more) + QueueChanged("'infinity'") +
         " SELECT action_id, client_id, status, updated_at, reason, (SELECT count(*) FROM told) "
         "FROM changed";
}

}  // namespace

std::string QueueChanged(std::string_view wake_at) {
  return std::string(
             " waiting AS ("
             "  INSERT INTO queued_targets (client_id, action_id, tries)"
             "  SELECT client_id, action_id, tries FROM changed WHERE status = 'queued'),"
             " due AS ("
             "  INSERT INTO mailboxes AS m (client_id, wake_at)"
             "  SELECT DISTINCT client_id, ")
      .append(wake_at)
      .append(
          "::timestamptz FROM changed WHERE status = 'queued' ORDER BY client_id"
          "  ON CONFLICT (client_id) DO UPDATE SET arrivals = m.arrivals + 1,"
          "    wake_at = least(m.wake_at, excluded.wake_at) RETURNING wake_at),"
          " told AS (SELECT pg_notify('")
      .append(kDispatchChannel)
      .append("', '') FROM due WHERE wake_at <= now() LIMIT 1)");
}

TextArray NamesOf(const std::vector<action::TargetStatus>& statuses) {
  TextArray names;
  for (const TargetStatus status : statuses) names.Add(action::TargetStatusName(status));
  return names;
}

std::string TenantText(const RequestKey& request) {
  return request.tenant ? request.tenant->str() : std::string();
}

base::Result<std::vector<base::Result<std::optional<AcceptedAction>>>> CreateTogether(
    Connection& connection, std::span<const NewAction* const> actions) {
  NewRows rows;
  for (const NewAction* action : ByKey(actions)) rows.Add(*action);
  // What tries dead letters again goes alone, so that all others do without that.
  static const std::string kCreate = CreateStatement("");
  static const std::string kReplay = CreateStatement(kReplayed);
  const bool replays = actions.front()->action.replay_of.has_value();
  const auto stored = connection.Execute(replays ? kReplay : kCreate, {rows.tenants,
                                                                       rows.keys,
                                                                       rows.hashes,
                                                                       rows.action_ids,
                                                                       rows.leases,
                                                                       rows.requested_by,
                                                                       rows.directives,
                                                                       rows.payloads,
                                                                       rows.metadata,
                                                                       rows.target_actions,
                                                                       rows.target_tenants,
                                                                       rows.target_clients,
                                                                       action::kNoSuchDevice,
                                                                       action::kNotOnline,
                                                                       rows.ttls,
                                                                       rows.deadlines,
                                                                       rows.target_forbidden,
                                                                       action::kNotPermitted,
                                                                       rows.dispatchers,
                                                                       rows.if_offline,
                                                                       rows.target_may_wait,
                                                                       rows.addresses,
                                                                       rows.forwarded_for,
                                                                       rows.request_ids,
                                                                       rows.target_counts,
                                                                       rows.replay_of,
                                                                       rows.caller_tenants});
  if (!stored) return stored.error();
  auto accepted = ReadAccepted(*stored);
  if (!accepted) return std::move(accepted).error();
  std::vector<base::Result<std::optional<AcceptedAction>>> answers;
  answers.reserve(actions.size());
  for (const NewAction* action : actions) {
    auto found = accepted->extract(action->action.id.str());
    if (found) {
      found.mapped().deadline = action->deadline.value_or(found.mapped().created_at + action->ttl);
    }
    answers.emplace_back(found ? std::optional(std::move(found.mapped())) : std::nullopt);
  }
  return answers;
}

base::Result<std::vector<base::Status>> FinishTogether(
    Connection& connection, std::span<const FinishedRequest* const> requests) {
  FinishedRows rows;
  for (const FinishedRequest* request : ByKey(requests)) rows.Add(*request);
  const TextArray before_published = NamesOf(action::ChangedBy(TargetEvent::kPublished));
  const TextArray before_undeliverable = NamesOf(action::ChangedBy(TargetEvent::kUndeliverable));
  const TextArray before_queued = NamesOf(action::ChangedBy(TargetEvent::kQueued));
  // Keys first, then targets in the order in which ApplyReports locks them: nobody who holds a
  // target waits for a key, so there is no circle.
  static const std::string kFinish =
      "WITH asked AS MATERIALIZED ("
      "  SELECT * FROM unnest($1::text[], $2::text[], $3::text[]::uuid[], $4::text[])"
      "    AS a(tenant, key, action_id, answer)),"
      " request AS ("
      "  UPDATE idempotency_keys k SET answer = asked.answer FROM asked"
      "  WHERE k.tenant = asked.tenant AND k.key = asked.key AND k.action_id = asked.action_id"
      "    AND k.answer IS NULL RETURNING k.action_id),"
      " news AS ("
      "  SELECT t.action_id, t.client_id, o.status, o.reason, o.finished_at"
      "  FROM request"
      "  JOIN unnest($5::text[]::uuid[], $6::text[], $7::text[], $8::text[], $9::timestamptz[])"
      "    AS o(action_id, client_id, status, reason, finished_at) ON o.action_id = "
      "request.action_id"
      "  JOIN action_targets t ON t.action_id = o.action_id AND t.client_id = o.client_id"
      "  WHERE t.status = ANY (CASE o.status WHEN 'published' THEN $10::text[] WHEN 'queued' "
      "THEN $12::text[] ELSE $11::text[] END)"
      "  ORDER BY t.action_id, t.client_id FOR UPDATE OF t),"
      " changed AS ("
      "  UPDATE action_targets t SET status = news.status, reason = news.reason, updated_at = "
      "news.finished_at"
      "  FROM news WHERE t.action_id = news.action_id AND t.client_id = news.client_id"
      "  RETURNING t.action_id, t.client_id, t.status,"
      "    CASE t.reason WHEN 'not_acknowledged' THEN 1 ELSE 0 END AS tries)," +
      QueueChanged("now()") + " SELECT action_id, (SELECT count(*) FROM told) FROM request";
  const auto finished = connection.Execute(
      kFinish, {rows.tenants, rows.keys, rows.action_ids, rows.answers, rows.target_actions,
                rows.target_clients, rows.statuses, rows.reasons, rows.finished_at,
                before_published, before_undeliverable, before_queued});
  if (!finished) return finished.error();
  std::set<std::string_view> ours;
  for (int row = 0; row < finished->size(); ++row) ours.insert(finished->Get(row, 0));
  std::vector<base::Status> answers;
  answers.reserve(requests.size());
  for (const FinishedRequest* request : requests) {
    answers.push_back(ours.contains(request->action_id.view()) ? base::Status()
                                                               : FinishedByOther());
  }
  return answers;
}

}  // namespace heliograph::postgres
