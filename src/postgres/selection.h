// A set of devices as a part of SQL. Only for this folder.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "postgres/array.h"
#include "postgres/parameter.h"
#include "postgres/target_set.h"
#include "postgres/transaction.h"

namespace heliograph::postgres {

// Threads: one thread.
class Selection {
 public:
  // Looks the group up, which then stays as it is until the end of the transaction. kNotFound:
  // there is none. `first`: the parameters $1 … before this one's own. `set` must outlive it.
  static base::Result<Selection> Of(Transaction& transaction, const TargetSet& set, int first);

  // A query of client_id and state, of each device once; state is null where there is no such
  // device for the tenant.
  const std::string& text() const { return text_; }
  // A query of client_id: those that would be in it but for `exclude`, which is not empty.
  const std::string& excluded() const { return excluded_; }
  // `before`, then its own.
  std::vector<Parameter> With(std::vector<Parameter> before) const;

 private:
  Selection(const TargetSet& set, int first);
  std::string Add(Parameter parameter);
  const TextArray& Keep(const std::vector<device::ClientId>& client_ids);
  std::string OfSelector(const action::Selector& selector);
  std::string OfIds(const std::vector<device::ClientId>& client_ids);
  std::string OfMembers(std::int64_t group);
  std::string Tenant() { return Add(set_->tenant) + "::text"; }
  void Finish(const std::string& all);

  const TargetSet* set_;
  int next_;
  std::vector<Parameter> parameters_;
  std::vector<std::unique_ptr<TextArray>> arrays_;  // where parameters refer to
  std::unique_ptr<action::Selector> stored_;        // of the group; likewise
  std::unique_ptr<std::string> prefix_end_;         // likewise
  std::string text_;
  std::string excluded_;
};

// How the set is refused already now: there is no such group, or too many are in the set.
base::Result<std::optional<SetRefusal>> RefuseSet(Transaction& transaction, const TargetSet& set);

}  // namespace heliograph::postgres
