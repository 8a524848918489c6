// Looks at topics and creates those that are missing. Never changes one.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "kafka/config.h"
#include "kafka/topics.h"

namespace heliograph::kafka {

// Calls block for at most `limit` each. Threads: one thread.
class Admin {
 public:
  Admin(const ClusterConfig& cluster,
        const std::string& client_id);  // throws StartupError; does not wait for a broker
  ~Admin();
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;

  // Nothing when there is no such topic.
  base::Result<std::optional<TopicState>> Describe(const std::string& topic,
                                                   std::chrono::milliseconds limit);
  // How many partitions a topic has; less work for Kafka than Describe. kNotFound: no such topic.
  base::Result<int> PartitionCount(const std::string& topic, std::chrono::milliseconds limit);
  // kAlreadyExists, kPermissionDenied, kInvalidArgument (more replicas than brokers), ...
  base::Status Create(const TopicPlan& plan, std::chrono::milliseconds limit);

  std::string unreachable() const;  // "" while brokers answer, else why not

 private:
  class State;
  std::unique_ptr<State> state_;
};

struct TopicReport {
  std::vector<std::string> created;  // names
  std::vector<int> partitions;       // of each topic that was asked for; 0: it is missing
  TopicFindings findings;
};

enum class MissingTopics { kCreate, kReport };  // kReport: a missing topic is a fault

// Looks at each topic. An error only when Kafka cannot be asked or does not create; `limit` is for
// each question.
base::Result<TopicReport> EnsureTopics(Admin& admin, std::span<const TopicPlan> plans,
                                       MissingTopics missing, std::chrono::milliseconds limit);

}  // namespace heliograph::kafka
