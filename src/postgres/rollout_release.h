// One look at one rollout: what has ended is counted, and what may go is let go. Only for this
// folder.
#pragma once

#include <chrono>

#include "base/result.h"
#include "postgres/connection.h"
#include "postgres/rollout_store.h"

namespace heliograph::postgres {

// Until a rollout is due, action::kLatest at most; 0: one is.
base::Result<std::chrono::milliseconds> TimeToNextLook(Connection& connection);

// At the one that has been due for longest and that nobody else is at, in one transaction; adds to
// `released`. False: there was none.
base::Result<bool> LookAtOne(Connection& connection, Released& released);

}  // namespace heliograph::postgres
