// What must happen without anybody asking: the database is looked at, outcomes are stored late,
// what a process has left is queued, targets whose deadline has passed end, what is old is
// forgotten: keys, changes of targets and of connections, dead letters.
#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "base/clock.h"
#include "base/health.h"
#include "dispatch/unsaved_outcomes.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "postgres/action_store.h"
#include "postgres/connection_log.h"
#include "postgres/dead_letter_store.h"
#include "postgres/target_log.h"

namespace heliograph::dispatch {

// Keeps the health of "postgres" up to date. Threads: its own, "housekeeping"; the rest from one
// thread.
class Housekeeper {
 public:
  // What is forgotten after its time, beside keys.
  struct Archive {
    postgres::DeadLetterStore& letters;
    postgres::TargetLog& log;
    postgres::ConnectionLog& connections;
  };
  Housekeeper(postgres::ActionStore& store, UnsavedOutcomes& unsaved, Archive archive,
              base::Health& health, const base::Clock& clock, metrics::Registry& metrics);
  ~Housekeeper();  // ends the thread after the call that it is in

 private:
  void Run(const std::stop_token& stop);
  void Turn();
  bool LookAtDatabase();
  void EndAbandoned();
  void ExpireDue();
  void ForgetOld();
  void ForgetConnectionChanges();

  postgres::ActionStore& store_;
  UnsavedOutcomes& unsaved_;
  const Archive archive_;
  base::Health& health_;
  const base::Clock& clock_;
  const log::Logger log_{"dispatch"};
  log::RateLimit slow_line_{std::chrono::minutes(1)};
  metrics::Counter abandoned_;
  metrics::Counter expired_;
  metrics::Counter forgotten_keys_;
  metrics::Counter forgotten_changes_;
  metrics::Counter forgotten_letters_;
  bool reachable_ = false;
  base::SteadyTime reachable_since_{};
  base::SteadyTime look_at_{};
  base::SteadyTime end_at_{};
  base::SteadyTime forget_at_{};
  std::int64_t most_due_ = postgres::kMostDueActions;  // fewer after it took too long
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;  // last: it uses everything above
};

}  // namespace heliograph::dispatch
