#include "postgres/action_queries.h"

#include <utility>

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
  return action;
}

// The range of an index that a page comes from, as text and parameters. Few texts, so that they
// stay prepared.
class Range {
 public:
  explicit Range(const ActionQuery& query) {
    if (query.sight) Where("tenant = " + Add(*query.sight));
    if (query.tenant) Where("tenant = " + Add(*query.tenant));
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

 private:
  void Where(const std::string& condition) {
    where_ += (where_.empty() ? " WHERE " : " AND ") + condition;
  }

  std::vector<Parameter> parameters_;
  std::string where_;
};

}  // namespace

base::Result<ActionPage> ActionQueries::List(const ActionQuery& query) {
  auto session = pool_.Acquire(std::chrono::steady_clock::now() + wait_);
  if (!session) return std::move(session).error();
  Range range(query);
  std::string matches = "true";
  if (query.requested_by) matches += " AND requested_by = " + range.Add(*query.requested_by);
  if (query.directive) matches += " AND directive = " + range.Add(*query.directive);
  const bool filtered = query.requested_by || query.directive;
  // Beside those that match, the last that was looked at: the next page begins there.
  const std::string sql =
      "SELECT action_id, created_at, directive, requested_by, tenant, deadline, if_offline = "
      "'queue', replay_of, matches, place "
      "FROM ("
      "SELECT *, " +
      matches +
      " AS matches, row_number() OVER (ORDER BY created_at DESC, action_id DESC) AS place FROM ("
      "SELECT action_id, created_at, directive, requested_by, tenant, deadline, if_offline, "
      "replay_of" +
      range.From() + " LIMIT " + range.Add(filtered ? kActionsLookedAt : query.limit + 1) +
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
    if (rows->GetInt64(row, 9) == kActionsLookedAt) {
      page.next = ActionPlace{action.created_at, action.id};
    }
    if (rows->GetBool(row, 8)) page.actions.push_back(std::move(action));
  }
  return page;
}

}  // namespace heliograph::postgres
