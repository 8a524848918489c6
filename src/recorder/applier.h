// What a follower of a log does with its records.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "postgres/offset_store.h"
#include "postgres/transaction.h"
#include "recorder/control_fold.h"
#include "recorder/record.h"

namespace heliograph::recorder {

// What is known of the partitions that this process follows: their offset rows as it left them.
using Offsets = std::map<std::int32_t, postgres::LogOffset>;

// Called by its Follower only. Threads: one thread.
class Applier {
 public:
  virtual ~Applier() = default;

  // The names of the headers that it wants of each record.
  virtual std::span<const char* const> Headers() const { return {}; }
  // Parses, without the database. The records live until the next Prepare.
  virtual std::vector<Refusal> Prepare(std::span<const Record> records) = 0;
  // Applies what Prepare kept, in the transaction that also moves the offsets; their rows are
  // locked and as expected. Answers what is refused for what the database knows. May be called
  // again after a failure.
  virtual base::Result<std::vector<Refusal>> Apply(postgres::Transaction& transaction,
                                                   const Generations& generations) = 0;
  // The transaction of the last Apply was committed; `connection` is the one that it was on.
  virtual void Committed(postgres::Connection& connection) = 0;

  // A partition goes on (anew) at this offset row.
  virtual base::Status Take(postgres::Connection& connection,
                            const postgres::LogOffset& offset) = 0;
  virtual void GiveUp(std::int32_t partition) = 0;

  // After each turn, at least ten times a second: what is not a batch. Bounded, and errors are its
  // own business.
  virtual void Tick(const Offsets& offsets) = 0;
  // Whether reading should wait until Tick has caught up.
  virtual bool Congested() const = 0;
  // The process ends.
  virtual void Finish() = 0;
};

}  // namespace heliograph::recorder
