// heliograph-recorder: Kafka records become connection state and action results in PostgreSQL.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>

#include "base/health.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "owner/resolver.h"
#include "postgres/pool.h"
#include "recorder/config.h"
#include "recorder/follower.h"

namespace heliograph::recorder {

// Starts the threads "rec-control", as many as there are workers ("rec-control-2", ...),
// "rec-data", "rec-letters" and "rec-results", and "owners-1" and so on where somebody is asked for
// them, and tells the health of what they need: kafka, postgres, owners, control, data, letters and
// results. Threads: one thread.
class Recorder {
 public:
  // Connects to nobody. References outlive it. Throws base::StartupError.
  Recorder(const Config& config, owner::Resolver& resolver, base::Health& health,
           metrics::Registry& metrics);

  // Until stop. Creates topics that are missing; waits for Kafka as long as it takes. The exit
  // code. Throws base::StartupError where a topic is of no use: it would lose records.
  int Run(const std::stop_token& stop);

 private:
  bool EnsureTopics(const std::stop_token& stop);  // false: stop came first
  int Follow(const std::stop_token& stop);
  void TellHealth(std::span<const Follower::Status> controls, const Follower::Status& data,
                  const Follower::Status& letters);
  void Tell(const std::string& dependency, const std::string& trouble);
  void TellOwners();

  const Config config_;
  owner::Resolver& resolver_;
  base::Health& health_;
  metrics::Registry& metrics_;
  const log::Logger log_{"recorder"};
  postgres::Pool pool_;
  postgres::Pool results_pool_;
  // When EnsureTopics looked.
  int control_partitions_ = 0;
  int data_partitions_ = 0;
  int letters_partitions_ = 0;
};

}  // namespace heliograph::recorder
