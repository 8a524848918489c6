// Tells Kafka what became of actions: each target that ended goes to `action.results`, and those
// that nobody has done or refused to `action.dead-letter`, too; at least once, in the order in
// which they ended. Of several recorders one does it.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "postgres/target_log.h"
#include "recorder/publisher.h"

namespace heliograph::recorder {

struct ResultFeedOptions {
  std::string results_topic;
  std::string dead_letter_topic;
  std::string name;  // of this process; it is told apart from others of the same name
};

// Threads: Run on one thread, for the whole life; trouble() on any.
class ResultFeed {
 public:
  // References outlive it.
  ResultFeed(ResultFeedOptions options, postgres::Pool& pool, Publisher& publisher,
             metrics::Registry& metrics);

  // Until stop.
  void Run(const std::stop_token& stop);

  // "" or why what ended is not told.
  std::string trouble() const;

 private:
  // How long to wait until the next one.
  std::chrono::milliseconds Turn(const std::stop_token& stop);
  base::Result<bool> Claim();  // whether it is this process's turn
  base::Status Tell(const postgres::EndedTargets& ended, const std::stop_token& stop);
  void Send(const postgres::EndedTarget& ended, const std::shared_ptr<Ticket>& ticket);
  // Writes down which actions have ended with these.
  base::Status EndActions(const postgres::EndedTargets& ended);
  base::Status Note();  // up to where everything is told
  std::chrono::milliseconds Fail(const base::Error& error);
  void Keep(std::string trouble);

  const ResultFeedOptions options_;
  const std::string owner_;
  postgres::TargetLog target_log_;
  Publisher& publisher_;
  const log::Logger log_{"recorder"};
  log::RateLimit failure_limit_{std::chrono::seconds(10)};
  metrics::Counter results_;
  metrics::Counter dead_letters_;
  metrics::Gauge behind_;
  std::optional<postgres::TargetLogPlace> noted_;  // nullopt: another process is at it
  postgres::TargetLogPlace told_;
  // Of actions that go on: a target that is open, the first of them. Until it ends, the action does
  // not.
  std::map<action::ActionId, device::ClientId> open_;
  base::SteadyTime note_at_{};
  mutable std::mutex mutex_;
  std::string trouble_ = "not asked yet";  // guarded by mutex_
};

}  // namespace heliograph::recorder
