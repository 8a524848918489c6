// For whom an action is, as the database resolves it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "action/selector.h"
#include "device/ids.h"

namespace heliograph::postgres {

inline constexpr std::chrono::hours kDryRunsAreKept{1};

// One of client_ids, group and selector, without `exclude`.
struct TargetSet {
  std::optional<device::TenantId> tenant;  // whose devices and groups; nullopt = an operator asks
  std::vector<device::ClientId> client_ids;
  std::optional<action::GroupName> group;
  std::optional<action::Selector> selector;
  std::vector<device::ClientId> exclude;
};

// Why there is no action for a set of devices; nothing was stored.
struct SetRefusal {
  enum class Why {
    kNoGroup,       // no group of that name
    kNobody,        // no device is in the set
    kTooMany,       // `count` devices are: more than action::kMostResolved
    kNoDryRun,      // no dry run of that id, or it is older than kDryRunsAreKept
    kOtherRequest,  // the dry run was of a request that means something else
    kChanged,       // since the dry run `added` devices came into the set and `removed` went
  };
  Why why = Why::kNobody;
  std::int64_t count = 0;
  std::int64_t added = 0;
  std::int64_t removed = 0;
};

}  // namespace heliograph::postgres
