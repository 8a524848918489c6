// Outcomes that could not be stored when they were known, because the database was away: kept until
// it is back.
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>

#include "log/log.h"
#include "metrics/metrics.h"
#include "postgres/action_store.h"

namespace heliograph::dispatch {

// Bounded. What is dropped, or lost with the process, ends as undeliverable with dispatcher_ended
// when its lease is over: the action was published, but nobody can say so any more. Threads: any
// thread.
class UnsavedOutcomes {
 public:
  UnsavedOutcomes(postgres::ActionStore& store, metrics::Registry& metrics);

  // Drops the oldest when there are too many.
  void Keep(postgres::FinishedRequest finished);

  // Tries to store them, oldest first, until one fails. True: none is left.
  bool Save();

 private:
  static constexpr std::size_t kMostBytes = 64 * 1024 * 1024;

  void SetGauge();  // under mutex_

  postgres::ActionStore& store_;
  const log::Logger log_{"dispatch"};
  log::RateLimit dropped_line_{std::chrono::seconds(10)};
  metrics::Gauge kept_;
  metrics::Counter dropped_;
  std::mutex mutex_;
  std::deque<postgres::FinishedRequest> queue_;  // guarded by mutex_
  std::size_t bytes_ = 0;                        // guarded by mutex_
};

}  // namespace heliograph::dispatch
