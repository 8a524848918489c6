// Sees to it that a program's topics exist and fit, on a thread of its own: Kafka may be away when
// the program starts, and a topic may go or change while it runs.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/wakeup.h"
#include "kafka/admin.h"
#include "kafka/config.h"
#include "kafka/partitions.h"
#include "log/log.h"

namespace heliograph::kafka {

// Creates what is missing; looks again every second until all fit, then once a minute, and when
// asked to. How many partitions they have it asks every 2 s. Threads: any thread; its own is
// "kafka-topics".
class TopicWatch {
 public:
  // `changed` is notified whenever problem() or partitions() may have changed; it outlives the
  // watch. Throws StartupError.
  TopicWatch(const ClusterConfig& cluster, const std::string& client_id,
             std::vector<TopicPlan> plans, base::Wakeup& changed);
  ~TopicWatch();  // waits for a question to Kafka that is under way, at most 2 s

  // "" when all topics exist and fit, else the first thing that is wrong.
  std::string problem() const;
  // Look again now; until then problem() is not "".
  void LookAgain();
  // How many partitions the topic of this plan has, by SteadyCount; 0: not known yet. Known where
  // problem() is "". Takes no lock.
  int partitions(std::size_t plan) const { return counts_[plan].load(std::memory_order_acquire); }

 private:
  void Run(const std::stop_token& stop);
  void Look();
  void Count();
  void TellCount(std::size_t plan, int partitions);
  void Tell(const std::string& problem);

  const std::vector<TopicPlan> plans_;
  base::Wakeup& changed_;
  const log::Logger logger_{"kafka"};
  Admin admin_;
  log::RateLimit limit_{std::chrono::seconds(10)};
  // The thread's own.
  std::vector<std::string> told_;  // warnings that were logged
  bool asked_ = false;             // Kafka has been asked at least once
  bool away_ = false;              // it does not answer
  std::vector<SteadyCount> steady_counts_;
  std::vector<std::atomic<int>> counts_;  // of steady_counts_, for other threads
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  std::string problem_ =
      "the topics have not been looked at yet";  // guarded by mutex_, as is the next
  bool look_now_ = false;
  std::jthread thread_;  // last: it uses the rest
};

}  // namespace heliograph::kafka
