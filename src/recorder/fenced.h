// A transaction beside the batches, for as long as a partition is ours.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "postgres/offset_store.h"
#include "postgres/pool.h"
#include "postgres/transaction.h"

namespace heliograph::recorder {

struct Fenced {
  postgres::Pool::Lease session;
  postgres::Transaction transaction;
};

// Locks the partition's offset row. nullopt: it is not as `expected`, so another process owns the
// partition by now, which the follower finds out with its next batch.
base::Result<std::optional<Fenced>> BeginFenced(postgres::Pool& pool, const std::string& topic,
                                                const postgres::LogOffset& expected);

}  // namespace heliograph::recorder
