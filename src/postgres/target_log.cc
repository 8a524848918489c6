#include "postgres/target_log.h"

#include <charconv>
#include <utility>

#include "postgres/action_writes.h"
#include "postgres/array.h"

namespace heliograph::postgres {
namespace {

using action::TargetStatus;
using std::chrono::milliseconds;

// Of one ReadEnded.
constexpr std::int64_t kMostLookedAt = 2000;
constexpr std::int64_t kMostBytes = 8 * 1024 * 1024;

TargetLogPlace PlaceAt(const Rows& rows, int row, int column) {
  TargetLogPlace place;
  const std::string_view xid = rows.Get(row, column);
  std::from_chars(xid.data(), xid.data() + xid.size(), place.xid);
  place.place = rows.GetInt64(row, column + 1);
  return place;
}

std::string XidText(const TargetLogPlace& place) { return std::to_string(place.xid); }

std::vector<TargetStatus> StatusesThatAre(bool final) {
  std::vector<TargetStatus> statuses;
  for (std::size_t i = 0; i < action::kTargetStatuses; ++i) {
    const auto status = static_cast<TargetStatus>(i);
    if (action::IsFinal(status) == final) statuses.push_back(status);
  }
  return statuses;
}

// The columns client_id, status, reason, progress, note and changed_at, from the fourth on.
base::Result<action::Target> TargetAt(const Rows& rows, int row) {
  const auto status = action::ParseTargetStatus(rows.Get(row, 4));
  if (!status) return base::MakeError(base::ErrorCode::kInternal, "a target has no known status");
  action::Target target;
  target.client_id = device::ClientId(rows.Get(row, 3));
  target.status = *status;
  target.reason = rows.Get(row, 5);
  if (!rows.IsNull(row, 6)) target.progress = static_cast<int>(rows.GetInt64(row, 6));
  target.note = rows.Get(row, 7);
  target.updated_at = rows.GetTimestamp(row, 8);
  return target;
}

base::Result<EndedTarget> EndedAt(const Rows& rows, int row) {
  auto target = TargetAt(rows, row);
  if (!target) return std::move(target).error();
  EndedTarget ended;
  ended.target = *std::move(target);
  if (!rows.IsNull(row, 9)) {
    action::Result result;
    result.received_at = rows.GetTimestamp(row, 9);
    result.content = rows.GetOptional(row, 10);
    result.metadata = rows.GetJson(row, 11);
    ended.target.result = std::move(result);
  }
  action::Action& action = ended.action;
  action.id = action::ActionId(rows.Get(row, 2));
  action.directive = action::Directive(rows.Get(row, 12));
  action.payload = rows.Get(row, 13);
  action.metadata = rows.GetJson(row, 14);
  action.requested_by = rows.Get(row, 15);
  if (!rows.IsNull(row, 16)) action.tenant = device::TenantId(rows.Get(row, 16));
  action.created_at = rows.GetTimestamp(row, 17);
  action.deadline = rows.GetTimestamp(row, 18);
  if (rows.GetBool(row, 19)) action.if_offline = action::IfOffline::kQueue;
  return ended;
}

}  // namespace

base::Result<Pool::Lease> TargetLog::Session() {
  return pool_.Acquire(std::chrono::steady_clock::now() + wait_);
}

base::Result<std::optional<TargetLogPlace>> TargetLog::Claim(const std::string& owner,
                                                             milliseconds lease) {
  auto session = Session();
  if (!session) return std::move(session).error();
  const auto rows = (*session)->Execute(
      "UPDATE target_log_readers SET owner = $1, "
      "lease_until = now() + $2::bigint * interval '1 millisecond' "
      "WHERE name = 'results' AND (owner = $1 OR lease_until < now()) RETURNING xid, place",
      {owner, lease.count()});
  if (!rows) return rows.error();
  if (rows->empty()) return std::optional<TargetLogPlace>();
  return std::optional(PlaceAt(*rows, 0, 0));
}

base::Result<EndedTargets> TargetLog::ReadEnded(const TargetLogPlace& after) {
  auto session = Session();
  if (!session) return std::move(session).error();
  const std::string xid = XidText(after);
  const auto looked_at = (*session)->Execute(
      "SELECT xid, place, count(*) OVER () FROM ("
      "  SELECT xid, place FROM target_log"
      "  WHERE (xid, place) > ($1::xid8, $2::bigint)"
      "    AND xid < pg_snapshot_xmin(pg_current_snapshot())"
      "  ORDER BY xid, place LIMIT $3::bigint) AS part "
      "ORDER BY xid DESC, place DESC LIMIT 1",
      {xid, after.place, kMostLookedAt});
  if (!looked_at) return looked_at.error();
  EndedTargets ended;
  ended.up_to = after;
  if (looked_at->empty()) return ended;
  ended.up_to = PlaceAt(*looked_at, 0, 0);
  ended.more = looked_at->GetInt64(0, 2) == kMostLookedAt;
  static const std::vector<TargetStatus> kFinal = StatusesThatAre(true);
  // The status is that of the log; an answer that came later than it is none of it.
  const auto rows = (*session)->Execute(
      "SELECT xid, place, action_id, client_id, status, reason, progress, note, changed_at,"
      "  result_received_at, result_content, result_metadata, directive, payload, metadata,"
      "  requested_by, tenant, created_at, deadline, may_wait, place_in_part = parts FROM ("
      "  SELECT l.xid, l.place, l.action_id, l.client_id, l.status, l.reason, l.progress, l.note,"
      "    l.changed_at, t.result_received_at, coalesce(t.result_content, 'null') AS "
      "result_content, t.result_metadata, a.directive, a.payload, a.metadata, a.requested_by,"
      "    a.tenant, a.created_at, a.deadline, a.if_offline = 'queue' AS may_wait,"
      "    sum(octet_length(a.payload::text)"
      "        + coalesce(octet_length(t.result_content::text), 0)) OVER w AS so_far,"
      "    row_number() OVER w AS place_in_part, count(*) OVER () AS parts"
      "  FROM target_log l JOIN actions a ON a.action_id = l.action_id"
      "  LEFT JOIN action_targets t ON t.action_id = l.action_id AND t.client_id = l.client_id"
      "    AND t.result_received_at IS NOT NULL AND NOT t.result_late"
      "  WHERE (l.xid, l.place) > ($1::xid8, $2::bigint)"
      "    AND (l.xid, l.place) <= ($3::xid8, $4::bigint) AND l.status = ANY ($5::text[])"
      "  WINDOW w AS (ORDER BY l.xid, l.place)) AS measured "
      "WHERE so_far <= $6::bigint OR place_in_part = 1 ORDER BY xid, place",
      {xid, after.place, XidText(ended.up_to), ended.up_to.place, NamesOf(kFinal), kMostBytes});
  if (!rows) return rows.error();
  ended.targets.reserve(static_cast<std::size_t>(rows->size()));
  for (int row = 0; row < rows->size(); ++row) {
    auto target = EndedAt(*rows, row);
    if (!target) return std::move(target).error();
    ended.targets.push_back(*std::move(target));
  }
  if (const int last = rows->size() - 1; last >= 0 && !rows->GetBool(last, 20)) {
    ended.up_to = PlaceAt(*rows, last, 0);
    ended.more = true;
  }
  return ended;
}

base::Result<bool> TargetLog::Advance(const std::string& owner, const TargetLogPlace& from,
                                      const TargetLogPlace& to, milliseconds lease) {
  auto session = Session();
  if (!session) return std::move(session).error();
  const auto advanced = (*session)->Execute(
      "UPDATE target_log_readers SET xid = $4::xid8, place = $5::bigint, "
      "lease_until = now() + $6::bigint * interval '1 millisecond' "
      "WHERE name = 'results' AND owner = $1 AND (xid, place) = ($2::xid8, $3::bigint)",
      {owner, XidText(from), from.place, XidText(to), to.place, lease.count()});
  if (!advanced) return advanced.error();
  return advanced->affected() == 1;
}

base::Result<std::vector<device::ClientId>> TargetLog::FindOpen(std::span<const OpenFrom> actions) {
  auto session = Session();
  if (!session) return std::move(session).error();
  TextArray ids, from;
  for (const OpenFrom& each : actions) {
    ids.Add(each.action_id.view());
    from.Add(each.client_id.view());
  }
  static const std::vector<TargetStatus> kOpen = StatusesThatAre(false);
  const auto rows = (*session)->Execute(
      "SELECT (SELECT t.client_id FROM action_targets t"
      "  WHERE t.action_id = a.action_id AND t.client_id >= a.first"
      "    AND t.status = ANY ($3::text[]) ORDER BY t.client_id LIMIT 1) "
      "FROM unnest($1::text[]::uuid[], $2::text[]) WITH ORDINALITY AS a(action_id, first, nth) "
      "ORDER BY nth",
      {ids, from, NamesOf(kOpen)});
  if (!rows) return rows.error();
  std::vector<device::ClientId> open;
  for (int row = 0; row < rows->size(); ++row) open.emplace_back(rows->Get(row, 0));
  return open;
}

base::Status TargetLog::EndActions(std::span<const action::ActionId> actions) {
  if (actions.empty()) return {};
  auto session = Session();
  if (!session) return std::move(session).error();
  TextArray ids;
  for (const action::ActionId& id : actions) ids.Add(id.view());
  const auto ended = (*session)->Execute(
      "WITH ended AS ("
      "  UPDATE actions SET ended_at = now(), closed = true"
      "  WHERE action_id IN (SELECT action_id FROM actions"
      "    WHERE action_id = ANY ($1::text[]::uuid[]) ORDER BY action_id FOR UPDATE)"
      "    AND ended_at IS NULL RETURNING action_id) "
      "INSERT INTO target_log (changed_at, action_id, client_id, status) "
      "SELECT now(), action_id, '', 'ended' FROM ended",
      {ids});
  if (!ended) return ended.error();
  return {};
}

base::Result<TargetLogPlace> TargetLog::End() {
  auto session = Session();
  if (!session) return std::move(session).error();
  const auto rows =
      (*session)->Execute("SELECT pg_snapshot_xmin(pg_current_snapshot()), 0::bigint");
  if (!rows) return rows.error();
  return PlaceAt(*rows, 0, 0);
}

base::Result<TargetLogPlace> TargetLog::Forgotten() {
  auto session = Session();
  if (!session) return std::move(session).error();
  const auto rows =
      (*session)->Execute("SELECT xid, place FROM target_log_readers WHERE name = 'forgotten'");
  if (!rows) return rows.error();
  return rows->empty() ? TargetLogPlace() : PlaceAt(*rows, 0, 0);
}

base::Result<std::vector<TargetChange>> TargetLog::Read(const TargetLogPlace& after,
                                                        std::int64_t most,
                                                        std::optional<std::uint64_t> end) {
  auto session = Session();
  if (!session) return std::move(session).error();
  const auto rows = (*session)->Execute(
      "SELECT l.xid, l.place, l.action_id, l.client_id, l.status, l.reason, l.progress, l.note,"
      "  l.changed_at, a.tenant, a.directive FROM ("
      "  SELECT * FROM target_log WHERE (xid, place) > ($1::xid8, $2::bigint)"
      "    AND xid < coalesce($4::xid8, pg_snapshot_xmin(pg_current_snapshot()))"
      "  ORDER BY xid, place LIMIT $3::bigint) AS l "
      "LEFT JOIN actions a ON a.action_id = l.action_id ORDER BY l.xid, l.place",
      {XidText(after), after.place, most, end});
  if (!rows) return rows.error();
  std::vector<TargetChange> changes;
  changes.reserve(static_cast<std::size_t>(rows->size()));
  for (int row = 0; row < rows->size(); ++row) {
    TargetChange change;
    change.place = PlaceAt(*rows, row, 0);
    change.action_id = action::ActionId(rows->Get(row, 2));
    change.at = rows->GetTimestamp(row, 8);
    if (!rows->IsNull(row, 9)) change.tenant = device::TenantId(rows->Get(row, 9));
    change.directive = action::Directive(rows->Get(row, 10));
    if (!rows->Get(row, 3).empty()) {
      auto target = TargetAt(*rows, row);
      if (!target) return std::move(target).error();
      change.target = *std::move(target);
    }
    changes.push_back(std::move(change));
  }
  return changes;
}

base::Status TargetLog::Release(const std::string& owner) {
  auto session = Session();
  if (!session) return std::move(session).error();
  const auto released = (*session)->Execute(
      "UPDATE target_log_readers SET lease_until = '-infinity' "
      "WHERE name = 'results' AND owner = $1",
      {owner});
  if (!released) return released.error();
  return {};
}

base::Result<std::int64_t> TargetLog::Forget(std::int64_t most) {
  auto session = Session();
  if (!session) return std::move(session).error();
  const auto forgotten = (*session)->Execute(
      "WITH oldest AS MATERIALIZED ("
      "  SELECT xid, place FROM ("
      "    SELECT xid, place, changed_at FROM target_log WHERE (xid, place) <="
      "      (SELECT xid, place FROM target_log_readers WHERE name = 'results')"
      "    ORDER BY xid, place LIMIT $1::bigint) AS part"
      "  WHERE changed_at < now() - $2::bigint * interval '1 hour'),"
      " noted AS ("
      "  UPDATE target_log_readers r SET xid = last.xid, place = last.place"
      "  FROM (SELECT xid, place FROM oldest ORDER BY xid DESC, place DESC LIMIT 1) AS last"
      "  WHERE name = 'forgotten' AND (r.xid, r.place) < (last.xid, last.place)) "
      "DELETE FROM target_log l USING oldest o WHERE l.xid = o.xid AND l.place = o.place",
      {most, kTargetLogIsKept.count()});
  if (!forgotten) return forgotten.error();
  return forgotten->affected();
}

}  // namespace heliograph::postgres
