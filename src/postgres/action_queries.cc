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

// Where the last of the actions that were looked at stands; nullopt: there were not so many.
base::Result<std::optional<ActionPlace>> EndOfLook(Connection& session, const ActionQuery& query) {
  Range range(query);
  const std::string sql = "SELECT created_at, action_id" + range.From() + " OFFSET " +
                          range.Add(kActionsLookedAt - 1) + "::bigint LIMIT 1";
  const auto rows = session.Execute(sql, range.parameters());
  if (!rows) return rows.error();
  if (rows->empty()) return std::optional<ActionPlace>();
  return std::optional(ActionPlace{rows->GetTimestamp(0, 0), action::ActionId(rows->Get(0, 1))});
}

}  // namespace

base::Result<ActionPage> ActionQueries::List(const ActionQuery& query) {
  auto session = pool_.Acquire(std::chrono::steady_clock::now() + wait_);
  if (!session) return std::move(session).error();
  Range range(query);
  std::string filter;
  if (query.requested_by) filter += " AND requested_by = " + range.Add(*query.requested_by);
  if (query.directive) filter += " AND directive = " + range.Add(*query.directive);
  const std::string sql =
      "SELECT action_id, created_at, directive, requested_by, tenant, deadline FROM ("
      "SELECT action_id, created_at, directive, requested_by, tenant, deadline" +
      range.From() + " LIMIT " + range.Add(filter.empty() ? query.limit + 1 : kActionsLookedAt) +
      "::bigint) AS looked_at WHERE true" + filter +
      " ORDER BY created_at DESC, action_id DESC LIMIT " + range.Add(query.limit + 1) + "::bigint";
  const auto rows = (*session)->Execute(sql, range.parameters());
  if (!rows) return rows.error();
  ActionPage page;
  for (int row = 0; row < rows->size() && row < query.limit; ++row) {
    page.actions.push_back(ActionAt(*rows, row));
  }
  if (rows->size() > query.limit) {
    page.next = ActionPlace{page.actions.back().created_at, page.actions.back().id};
  } else if (!filter.empty()) {
    auto end = EndOfLook(**session, query);
    if (!end) return std::move(end).error();
    page.next = *std::move(end);
  }
  return page;
}

}  // namespace heliograph::postgres
