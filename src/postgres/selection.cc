#include "postgres/selection.h"

#include <utility>

#include "action/request.h"
#include "device/connection.h"

namespace heliograph::postgres {
namespace {

// The least text after all that begin with `prefix`: its alphabet ends below 0x7f.
std::string EndOfPrefix(std::string prefix) {
  ++prefix.back();
  return prefix;
}

}  // namespace

Selection::Selection(const TargetSet& set, int first) : set_(&set), next_(first) {}

std::string Selection::Add(Parameter parameter) {
  parameters_.push_back(std::move(parameter));
  return "$" + std::to_string(next_++);
}

const TextArray& Selection::Keep(const std::vector<device::ClientId>& client_ids) {
  arrays_.push_back(std::make_unique<TextArray>());
  for (const device::ClientId& id : client_ids) arrays_.back()->Add(id.view());
  return *arrays_.back();
}

std::string Selection::OfSelector(const action::Selector& selector) {
  std::string from = "SELECT c.client_id, c.state FROM connections c";
  std::string where = " WHERE true";
  int labels = 0;
  const auto has_label = [&](const std::string& label) {
    const std::string name = "l" + std::to_string(labels++);
    from += " JOIN connection_labels " + name + " ON " + name + ".client_id = c.client_id AND " +
            name + ".label = " + label;
  };
  if (set_->tenant) where += " AND c.tenant = " + Add(*set_->tenant);
  if (selector.tenant) where += " AND c.tenant = " + Add(*selector.tenant);
  if (selector.state) {
    where += " AND c.state = " + Add(device::ConnectionStateName(*selector.state));
  }
  if (!selector.client_id_prefix.empty()) {
    prefix_end_ = std::make_unique<std::string>(EndOfPrefix(selector.client_id_prefix));
    where += " AND c.client_id >= " + Add(selector.client_id_prefix) + " AND c.client_id < " +
             Add(*prefix_end_);
  }
  if (selector.client_version) where += " AND c.client_version = " + Add(*selector.client_version);
  for (const auto& [name, value] : selector.tags) {
    const std::string first = Add(name);
    has_label("tag_label(" + first + ", " + Add(value) + ")");
  }
  if (selector.dispatcher) has_label("dispatcher_label(" + Add(*selector.dispatcher) + ")");
  return from + where;
}

std::string Selection::OfIds(const std::vector<device::ClientId>& client_ids) {
  const std::string ids = Add(Keep(client_ids));
  const std::string tenant = Tenant();
  return "SELECT g.client_id, c.state FROM unnest(" + ids +
         "::text[]) AS g(client_id) LEFT JOIN connections c ON c.client_id = g.client_id AND (" +
         tenant + " IS NULL OR c.tenant = " + tenant + ")";
}

std::string Selection::OfMembers(std::int64_t group) {
  const std::string id = Add(group);
  const std::string tenant = Tenant();
  return "SELECT g.client_id, c.state FROM group_members g LEFT JOIN connections c ON c.client_id "
         "= g.client_id AND (" +
         tenant + " IS NULL OR c.tenant = " + tenant + ") WHERE g.group_id = " + id + "::bigint";
}

void Selection::Finish(const std::string& all) {
  if (set_->exclude.empty()) {
    text_ = all;
    return;
  }
  const std::string listed = "(SELECT FROM unnest(" + Add(Keep(set_->exclude)) +
                             "::text[]) AS e(client_id) WHERE e.client_id = s.client_id)";
  text_ = "SELECT s.client_id, s.state FROM (" + all + ") AS s WHERE NOT EXISTS " + listed;
  excluded_ = "SELECT s.client_id FROM (" + all + ") AS s WHERE EXISTS " + listed;
}

base::Result<Selection> Selection::Of(Transaction& transaction, const TargetSet& set, int first) {
  Selection selection(set, first);
  if (set.selector) {
    selection.Finish(selection.OfSelector(*set.selector));
    return selection;
  }
  if (!set.group) {
    selection.Finish(selection.OfIds(set.client_ids));
    return selection;
  }
  const auto rows = transaction.Execute(
      "SELECT group_id, selector FROM groups WHERE tenant = coalesce($1::text, '') AND name = $2 "
      "FOR SHARE",
      {set.tenant, *set.group});
  if (!rows) return rows.error();
  if (rows->empty()) {
    return base::MakeError(base::ErrorCode::kNotFound, "there is no such group");
  }
  if (rows->IsNull(0, 1)) {
    selection.Finish(selection.OfMembers(rows->GetInt64(0, 0)));
    return selection;
  }
  auto stored = action::ParseSelector(rows->Get(0, 1));
  if (!stored) {
    return base::MakeError(base::ErrorCode::kInternal, "a group has no selector that can be read");
  }
  selection.stored_ = std::make_unique<action::Selector>(*std::move(stored));
  selection.Finish(selection.OfSelector(*selection.stored_));
  return selection;
}

std::vector<Parameter> Selection::With(std::vector<Parameter> before) const {
  before.insert(before.end(), parameters_.begin(), parameters_.end());
  return before;
}

base::Result<std::optional<SetRefusal>> RefuseSet(Transaction& transaction, const TargetSet& set) {
  using Refused = std::optional<SetRefusal>;
  const auto selection = Selection::Of(transaction, set, 1);
  if (!selection && selection.error().code == base::ErrorCode::kNotFound) {
    return Refused(SetRefusal{SetRefusal::Why::kNoGroup});
  }
  if (!selection) return selection.error();
  const auto rows = transaction.Execute(
      "SELECT count(*) FROM (" + selection->text() + ") AS counted", selection->With({}));
  if (!rows) return rows.error();
  const std::int64_t count = rows->GetInt64(0, 0);
  if (count <= action::kMostResolved) return Refused();
  return Refused(SetRefusal{SetRefusal::Why::kTooMany, count});
}

}  // namespace heliograph::postgres
