#include "postgres/audit.h"

#include <utility>

#include "postgres/audit_rows.h"

namespace heliograph::postgres {
namespace {

AuditEntry EntryAt(const Rows& rows, int row) {
  AuditEntry entry;
  entry.place = {rows.GetTimestamp(row, 1), rows.GetInt64(row, 0)};
  Decision& decision = entry.decision;
  decision.origin.caller = rows.Get(row, 2);
  if (!rows.IsNull(row, 3)) decision.origin.tenant = device::TenantId(rows.Get(row, 3));
  decision.origin.address = rows.Get(row, 4);
  decision.origin.forwarded_for = rows.Get(row, 5);
  decision.origin.request_id = rows.Get(row, 6);
  decision.deed = rows.Get(row, 7);
  decision.accepted = rows.Get(row, 8) == "accepted";
  decision.reason = rows.Get(row, 9);
  if (!rows.IsNull(row, 10)) decision.action_id = action::ActionId(rows.Get(row, 10));
  decision.directive = rows.Get(row, 11);
  if (!rows.IsNull(row, 12)) decision.targets = rows.GetInt64(row, 12);
  if (!rows.IsNull(row, 13)) decision.dead_letter_id = rows.GetInt64(row, 13);
  decision.webhook = rows.Get(row, 14);
  return entry;
}

}  // namespace

base::Status Audit::Add(const Decision& decision) {
  auto session = pool_.Acquire(std::chrono::steady_clock::now() + wait_);
  if (!session) return std::move(session).error();
  return AddToAudit(**session, decision);
}

// One range of an index; beside those that match, the last that was looked at: the next page begins
// there. One text for all filters, so that it stays prepared.
base::Result<AuditPage> Audit::List(const AuditQuery& query) {
  auto session = pool_.Acquire(std::chrono::steady_clock::now() + wait_);
  if (!session) return std::move(session).error();
  const Parameter none(std::nullopt);
  const Parameter at = query.before ? Parameter(query.before->at) : none;
  const Parameter place = query.before ? Parameter(query.before->place) : none;
  const Parameter decision =
      query.accepted ? Parameter(*query.accepted ? "accepted" : "refused") : none;
  const std::string range =
      query.action_id ? "action_id = $1::uuid"
                      : "$1::uuid IS NULL AND at >= coalesce($2::timestamptz, '-infinity') AND at "
                        "< coalesce($3::timestamptz, 'infinity')";
  const std::string others = query.action_id
                                 ? "at >= coalesce($2::timestamptz, '-infinity') AND at < "
                                   "coalesce($3::timestamptz, 'infinity')"
                                 : "true";
  const auto rows = (*session)->Execute(
      "SELECT place, at, caller, tenant, address, forwarded_for, request_id, deed, decision, "
      "reason, action_id, directive, targets, dead_letter_id, webhook, matches, nth FROM ("
      "SELECT *, (" +
          others +
          ") AND ($6::text IS NULL OR caller = $6) AND ($7::text IS NULL OR tenant = $7) "
          "AND ($8::text IS NULL OR decision = $8) AS matches, "
          "row_number() OVER (ORDER BY at DESC, place DESC) AS nth FROM ("
          "SELECT * FROM audit WHERE " +
          range +
          " AND (at, place) < (coalesce($4::timestamptz, 'infinity'), coalesce($5::bigint, 0)) "
          "ORDER BY at DESC, place DESC LIMIT $9::bigint) AS looked_at) AS judged "
          "WHERE matches OR nth = $9::bigint ORDER BY at DESC, place DESC LIMIT $10::bigint",
      {query.action_id, query.from, query.until, at, place, query.caller, query.tenant, decision,
       kAuditLookedAt, query.limit + 2});
  if (!rows) return rows.error();
  AuditPage page;
  for (int row = 0; row < rows->size(); ++row) {
    if (std::cmp_equal(page.entries.size(), query.limit)) {
      page.next = page.entries.back().place;
      break;
    }
    AuditEntry entry = EntryAt(*rows, row);
    if (rows->GetInt64(row, 16) == kAuditLookedAt) page.next = entry.place;
    if (rows->GetBool(row, 15)) page.entries.push_back(std::move(entry));
  }
  return page;
}

}  // namespace heliograph::postgres
