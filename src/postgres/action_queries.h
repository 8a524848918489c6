// What callers ask about many actions at once. Read only.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "action/action.h"
#include "action/action_status.h"
#include "base/clock.h"
#include "base/result.h"
#include "device/ids.h"
#include "postgres/pool.h"

namespace heliograph::postgres {

// An action's place in the list, which is the order of time and then of the ids.
struct ActionPlace {
  base::Timestamp created_at{};
  action::ActionId action_id;
};

// Every filter that is given must hold.
struct ActionQuery {
  std::optional<device::TenantId> sight = {};   // who asks; nullopt = an operator, who sees all
  std::optional<device::TenantId> tenant = {};  // for operators
  std::optional<std::string> requested_by = {};
  std::optional<action::Directive> directive = {};
  std::optional<action::ActionStatus> status = {};     // as far as the end was noticed
  std::optional<base::Timestamp> created_from = {};    // included
  std::optional<base::Timestamp> created_before = {};  // not included
  std::optional<ActionPlace> before = {};              // nullopt = from the newest
  std::int64_t limit = 100;
};

struct ActionPage {
  std::vector<action::Action> actions;  // without payload, metadata, totals and targets
  // Where to go on; nullopt: that was all. A page may be short, even empty, and yet not the last.
  std::optional<ActionPlace> next;
};

// Of how many actions one page looks at the caller, the directive and the status, so that a filter
// that fits few does not read through years.
inline constexpr std::int64_t kActionsLookedAt = 10'000;

// Errors as Connection's. Threads: any thread.
class ActionQueries {
 public:
  // `wait` bounds how long a call waits for a session.
  ActionQueries(Pool& pool, std::chrono::milliseconds wait) : pool_(pool), wait_(wait) {}

  // The newest first.
  base::Result<ActionPage> List(const ActionQuery& query);

 private:
  Pool& pool_;
  const std::chrono::milliseconds wait_;
};

}  // namespace heliograph::postgres
