// Reads actions and targets out of the tables: inside a transaction or outside. Only for this
// folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "action/action.h"
#include "base/result.h"
#include "postgres/connection.h"
#include "postgres/transaction.h"

namespace heliograph::postgres {

struct TargetRange {
  std::optional<action::TargetStatus> status;
  std::string from;  // the first client id, if there is such a target
  std::int64_t limit = 0;
};

// Without totals and targets. nullopt: no such action, or not `tenant`'s (null = an operator asks).
template <class Session>
base::Result<std::optional<action::Action>> ReadHeader(
    Session& session, const action::ActionId& id, const std::optional<device::TenantId>& tenant);

// What the columns from `first` on say of the rollout: not_before, rate_per_s, max_in_flight,
// abort_failed_percent, abort_min_finished, paused_at, aborted_at, cancelled_at.
void ReadCourse(const Rows& rows, int row, int first, action::Action& action);

// By client id; results beyond action::kContentInFull bytes in all are left out, the first is
// always there.
template <class Session>
base::Result<std::vector<action::Target>> ReadTargets(Session& session, const action::ActionId& id,
                                                      const TargetRange& range);

// Adds totals, what has ended lately before action.as_of and, where there are at most
// action::kTargetsInFull, targets.
template <class Session>
base::Status ReadTargetsOf(Session& session, action::Action& action);

extern template base::Result<std::optional<action::Action>> ReadHeader(
    Connection&, const action::ActionId&, const std::optional<device::TenantId>&);
extern template base::Result<std::optional<action::Action>> ReadHeader(
    Transaction&, const action::ActionId&, const std::optional<device::TenantId>&);
extern template base::Result<std::vector<action::Target>> ReadTargets(Connection&,
                                                                      const action::ActionId&,
                                                                      const TargetRange&);
extern template base::Status ReadTargetsOf(Connection&, action::Action&);
extern template base::Status ReadTargetsOf(Transaction&, action::Action&);

}  // namespace heliograph::postgres
