// What a Settle of the queue changes of rollouts: targets that are held back, permits that come
// back. Costs nothing where there is none of these. Only for this folder.
#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "postgres/dispatch_queue.h"
#include "postgres/transaction.h"

namespace heliograph::postgres {

// Before any target is locked: their rollouts are looked at again.
base::Status WakeRollouts(Transaction& transaction, std::span<const Settlement> settlements);

// With the targets locked, before they are taken out of the queue.
base::Status SettleTurns(Transaction& transaction,
                         const std::vector<const Settlement*>& settlements);

}  // namespace heliograph::postgres
