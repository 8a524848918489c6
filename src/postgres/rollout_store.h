// Lets the targets of rollouts go when it is their turn, and holds them back when somebody says so.
// Tables: migrations/0010_rollout.up.sql; why it is so: docs/decisions/0023-rollout.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "action/action.h"
#include "base/result.h"
#include "postgres/audit.h"
#include "postgres/pool.h"
#include "postgres/transaction.h"

namespace heliograph::postgres {

struct Released {
  std::int64_t targets = 0;                // that may be published now
  std::vector<action::ActionId> aborted;   // of which too many targets had failed
  std::chrono::milliseconds next_look{0};  // until then nothing is due; action::kLatest at most
};

// What became of a request to pause or to resume.
struct Paused {
  action::Action action;  // as it is then
  bool over = false;      // nothing more would be published: nothing was changed
};

// Every call is one transaction on a session of its own. Errors as Connection's. Threads: any
// thread.
class RolloutStore {
 public:
  // `wait` bounds how long a call waits for a session.
  RolloutStore(Pool& pool, std::chrono::milliseconds wait) : pool_(pool), wait_(wait) {}

  // nullopt: no such action, or another tenant's. To do it again changes nothing.
  base::Result<std::optional<Paused>> Pause(const action::ActionId& id, const Origin& origin);
  base::Result<std::optional<Paused>> Resume(const action::ActionId& id, const Origin& origin);

  // Of rollouts that are due and that nobody else is at: counts what has ended, cancels the rest
  // where too many have failed, and lets as many targets go as may. Those are put in their
  // mailboxes; whoever claims them publishes them.
  base::Result<Released> ReleaseDue();

 private:
  base::Result<std::optional<Paused>> SetPaused(const action::ActionId& id, const Origin& origin,
                                                bool paused);

  Pool& pool_;
  const std::chrono::milliseconds wait_;
};

}  // namespace heliograph::postgres
