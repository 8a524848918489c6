#include "postgres/action_queries.h"

#include <string_view>
#include <utility>

#include "postgres/action_rows.h"

namespace heliograph::postgres {
namespace {

action::Action ActionAt(const Rows& rows, int row) {
  action::Action action;
  action.id = action::ActionId(rows.Get(row, 0));
  action.created_at = rows.GetTimestamp(row, 1);
  action.directive = action::Directive(rows.Get(row, 2));
  action.requested_by = rows.Get(row, 3);
  if (!rows.IsNull(row, 4)) action.tenant = device::TenantId(rows.Get(row, 4));
  action.deadline = rows.GetTimestamp(row, 5);
  if (rows.GetBool(row, 6)) action.if_offline = action::IfOffline::kQueue;
  if (!rows.IsNull(row, 7)) action.replay_of = action::ActionId(rows.Get(row, 7));
  ReadCourse(rows, row, 8, action);
  action.ended = rows.GetBool(row, 16);
  action.as_of = rows.GetTimestamp(row, 17);
  return action;
}

// In the order of ActionAt.
constexpr std::string_view kColumns =
    "action_id, created_at, directive, requested_by, tenant, deadline, if_offline = 'queue' AS "
    "may_wait, replay_of, not_before, rate_per_s, max_in_flight, abort_failed_percent, "
    "abort_min_finished, paused_at, aborted_at, cancelled_at, closed, now() AS as_of";

// As action::StatusOf.
constexpr std::string_view kStatus =
    "CASE WHEN cancelled_at IS NOT NULL THEN 'cancelled' WHEN aborted_at IS NOT NULL THEN "
    "'aborted' WHEN closed THEN 'ended' WHEN paused_at IS NOT NULL THEN 'paused' WHEN not_before > "
    "as_of THEN 'scheduled' ELSE 'running' END";

// What is few has an index of its own, which is read instead of everything that has ended; those
// indexes know no tenants.
std::string_view IndexOf(const std::optional<action::ActionStatus>& status) {
  if (!status) return "";
  switch (*status) {
    case action::ActionStatus::kScheduled:
    case action::ActionStatus::kRunning:
    case action::ActionStatus::kPaused:
      return "NOT closed";
    case action::ActionStatus::kAborted:
    case action::ActionStatus::kCancelled:
      return "(cancelled_at IS NOT NULL OR aborted_at IS NOT NULL)";
    case action::ActionStatus::kEnded:
      return "";
  }
  return "";
}

// The range of an index that a page comes from, as text and parameters. Few texts, so that they
// stay prepared.
class Range {
 public:
  explicit Range(const ActionQuery& query) {
    const std::string_view index = IndexOf(query.status);
    if (!index.empty()) Where(std::string(index));
    for (const auto* tenant : {&query.sight, &query.tenant}) {
      if (!*tenant) continue;
      const std::string condition = "tenant = " + Add(**tenant);
      index.empty() ? Where(condition) : Match(condition);
    }
    if (query.created_from) Where("created_at >= " + Add(*query.created_from));
    if (query.created_before) Where("created_at < " + Add(*query.created_before));
    if (query.before) {
      const std::string time = Add(query.before->created_at);
      Where("(created_at, action_id) < (" + time + ", " + Add(query.before->action_id) + "::uuid)");
    }
  }

  // The parameter must outlive the statement.
  std::string Add(Parameter parameter) {
    parameters_.push_back(std::move(parameter));
    return "$" + std::to_string(parameters_.size());
  }
  std::string From() const {
    return " FROM actions" + where_ + " ORDER BY created_at DESC, action_id DESC";
  }
  const std::vector<Parameter>& parameters() const { return parameters_; }

  // A condition that no index serves.
  void Match(const std::string& condition) {
    matches_ += (matches_.empty() ? "" : " AND ") + condition;
  }
  const std::string& matches() const { return matches_; }  // "" = all do

 private:
  void Where(const std::string& condition) {
    where_ += (where_.empty() ? " WHERE " : " AND ") + condition;
  }

  std::vector<Parameter> parameters_;
  std::string where_;
  std::string matches_;
};

}  // namespace

base::Result<ActionPage> ActionQueries::List(const ActionQuery& query) {
  auto session = pool_.Acquire(std::chrono::steady_clock::now() + wait_);
  if (!session) return std::move(session).error();
  Range range(query);
  if (query.requested_by) range.Match("requested_by = " + range.Add(*query.requested_by));
  if (query.directive) range.Match("directive = " + range.Add(*query.directive));
  if (query.status) {
    range.Match(std::string(kStatus) + " = " + range.Add(action::ActionStatusName(*query.status)));
  }
  const bool filtered = !range.matches().empty();
  // Beside those that match, the last that was looked at: the next page begins there.
  const std::string sql =
      "SELECT * FROM (SELECT *, " + (filtered ? "(" + range.matches() + ")" : "true") +
      " AS matches, row_number() OVER (ORDER BY created_at DESC, action_id DESC) AS place FROM ("
      "SELECT " +
      std::string(kColumns) + range.From() + " LIMIT " +
      range.Add(filtered ? kActionsLookedAt : query.limit + 1) +
      "::bigint) AS looked_at) AS judged WHERE matches OR place = " + range.Add(kActionsLookedAt) +
      "::bigint ORDER BY created_at DESC, action_id DESC LIMIT " + range.Add(query.limit + 2) +
      "::bigint";
  const auto rows = (*session)->Execute(sql, range.parameters());
  if (!rows) return rows.error();
  ActionPage page;
  for (int row = 0; row < rows->size(); ++row) {
    if (std::cmp_equal(page.actions.size(), query.limit)) {
      page.next = ActionPlace{page.actions.back().created_at, page.actions.back().id};
      break;
    }
    action::Action action = ActionAt(*rows, row);
    if (rows->GetInt64(row, 19) == kActionsLookedAt) {
      page.next = ActionPlace{action.created_at, action.id};
    }
    if (rows->GetBool(row, 18)) page.actions.push_back(std::move(action));
  }
  return page;
}

}  // namespace heliograph::postgres
