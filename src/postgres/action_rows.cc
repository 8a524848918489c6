#include "postgres/action_rows.h"

#include <algorithm>
#include <string>

namespace heliograph::postgres {
namespace {

base::Error UnknownStatus() {
  return base::MakeError(base::ErrorCode::kInternal, "a target has no known status");
}

base::Result<action::Target> TargetAt(const Rows& rows, int row) {
  const auto status = action::ParseTargetStatus(rows.Get(row, 1));
  if (!status) return UnknownStatus();
  action::Target target;
  target.client_id = device::ClientId(rows.Get(row, 0));
  target.status = *status;
  target.reason = rows.Get(row, 2);
  if (!rows.IsNull(row, 3)) target.progress = static_cast<int>(rows.GetInt64(row, 3));
  target.note = rows.Get(row, 4);
  target.updated_at = rows.GetTimestamp(row, 5);
  if (rows.IsNull(row, 6)) return target;
  action::Result result;
  result.received_at = rows.GetTimestamp(row, 6);
  result.late = rows.GetBool(row, 7);
  result.content_bytes = static_cast<std::size_t>(rows.GetInt64(row, 8));
  result.content = rows.GetOptional(row, 9);
  result.metadata = rows.GetJson(row, 10);
  target.result = std::move(result);
  return target;
}

}  // namespace

void ReadCourse(const Rows& rows, int row, int first, action::Action& action) {
  const auto number = [&](int column) {
    return rows.IsNull(row, column) ? std::nullopt : std::optional(rows.GetInt64(row, column));
  };
  action.rollout.not_before = rows.GetOptionalTimestamp(row, first);
  action.rollout.rate_per_s = number(first + 1);
  action.rollout.max_in_flight = number(first + 2);
  if (!rows.IsNull(row, first + 3)) {
    action.rollout.abort_if = {rows.GetInt64(row, first + 3), rows.GetInt64(row, first + 4)};
  }
  action.paused_at = rows.GetOptionalTimestamp(row, first + 5);
  action.aborted_at = rows.GetOptionalTimestamp(row, first + 6);
  action.cancelled_at = rows.GetOptionalTimestamp(row, first + 7);
}

template <class Session>
base::Result<std::optional<action::Action>> ReadHeader(
    Session& session, const action::ActionId& id, const std::optional<device::TenantId>& tenant) {
  const auto rows = session.Execute(
      "SELECT directive, payload, metadata, requested_by, tenant, created_at, deadline, "
      "if_offline = 'queue', replay_of, not_before, rate_per_s, max_in_flight, "
      "abort_failed_percent, abort_min_finished, paused_at, aborted_at, cancelled_at, now() "
      "FROM actions WHERE action_id = $1::uuid AND ($2::text IS NULL OR tenant = $2)",
      {id, tenant});
  if (!rows) return rows.error();
  if (rows->empty()) return std::optional<action::Action>();
  action::Action action;
  action.id = id;
  action.directive = action::Directive(rows->Get(0, 0));
  action.payload = rows->Get(0, 1);
  action.metadata = rows->GetJson(0, 2);
  action.requested_by = rows->Get(0, 3);
  if (!rows->IsNull(0, 4)) action.tenant = device::TenantId(rows->Get(0, 4));
  action.created_at = rows->GetTimestamp(0, 5);
  action.deadline = rows->GetTimestamp(0, 6);
  if (rows->GetBool(0, 7)) action.if_offline = action::IfOffline::kQueue;
  if (!rows->IsNull(0, 8)) action.replay_of = action::ActionId(rows->Get(0, 8));
  ReadCourse(*rows, 0, 9, action);
  action.as_of = rows->GetTimestamp(0, 17);
  return std::optional(std::move(action));
}

template <class Session>
base::Result<std::vector<action::Target>> ReadTargets(Session& session, const action::ActionId& id,
                                                      const TargetRange& range) {
  // The running sum decides which results are in full; the first always is, whatever its size.
  const auto rows = session.Execute(
      "SELECT client_id, status, reason, progress, note, updated_at, result_received_at, "
      "result_late, bytes,"
      "  CASE WHEN in_full THEN coalesce(result_content, 'null') END, CASE WHEN in_full THEN "
      "result_metadata END "
      "FROM (SELECT *, sum(bytes) OVER (ORDER BY client_id) <= greatest($5::bigint, bytes) AS "
      "in_full"
      "      FROM (SELECT *, coalesce(octet_length(result_content::text), 0)"
      "                    + coalesce(octet_length(result_metadata::text), 0) AS bytes"
      "            FROM action_targets"
      "            WHERE action_id = $1::uuid AND client_id >= $2 AND ($3::text IS NULL OR status "
      "= $3)"
      "            ORDER BY client_id LIMIT $4::bigint) AS page) AS measured "
      "ORDER BY client_id",
      {id, range.from,
       range.status ? Parameter(action::TargetStatusName(*range.status)) : Parameter(std::nullopt),
       range.limit, action::kContentInFull});
  if (!rows) return rows.error();
  std::vector<action::Target> targets;
  targets.reserve(static_cast<std::size_t>(rows->size()));
  for (int row = 0; row < rows->size(); ++row) {
    auto target = TargetAt(*rows, row);
    if (!target) return std::move(target).error();
    targets.push_back(*std::move(target));
  }
  return targets;
}

template <class Session>
base::Status ReadTargetsOf(Session& session, action::Action& action) {
  const auto most = static_cast<std::int64_t>(action::kTargetsInFull);
  auto targets = ReadTargets(session, action.id, {std::nullopt, "", most + 1});
  if (!targets) return std::move(targets).error();
  if (targets->size() <= action::kTargetsInFull) {
    for (const action::Target& target : *targets) ++action.totals[target.status];
    action.targets = *std::move(targets);
    action::CountEnded(action);
    return {};
  }
  const auto rows = session.Execute(
      "SELECT status, count(*), count(*) FILTER (WHERE updated_at > $2::timestamptz AND NOT "
      "result_late) FROM action_targets WHERE action_id = $1::uuid GROUP BY status",
      {action.id, std::max(action.as_of - action::kPaceOver, action.created_at)});
  if (!rows) return rows.error();
  action.ended_lately = 0;
  for (int row = 0; row < rows->size(); ++row) {
    const auto status = action::ParseTargetStatus(rows->Get(row, 0));
    if (!status) return UnknownStatus();
    action.totals[*status] = rows->GetInt64(row, 1);
    if (action::IsFinal(*status)) action.ended_lately += rows->GetInt64(row, 2);
  }
  action::CountEnded(action);
  return {};
}

template base::Result<std::optional<action::Action>> ReadHeader(
    Connection&, const action::ActionId&, const std::optional<device::TenantId>&);
template base::Result<std::optional<action::Action>> ReadHeader(
    Transaction&, const action::ActionId&, const std::optional<device::TenantId>&);
template base::Result<std::vector<action::Target>> ReadTargets(Connection&, const action::ActionId&,
                                                               const TargetRange&);
template base::Status ReadTargetsOf(Connection&, action::Action&);
template base::Status ReadTargetsOf(Transaction&, action::Action&);

}  // namespace heliograph::postgres
