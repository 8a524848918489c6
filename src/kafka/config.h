// Where Kafka is, and what its topics look like.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "config/binder.h"

namespace heliograph::kafka {

struct ClusterConfig {
  std::string brokers = "127.0.0.1:9092";
  // Passed through to librdkafka (SASL, TLS, timeouts, ...). A property that a promise stands on is
  // refused.
  std::map<std::string, std::string> properties;
  base::Secret sasl_password;
  base::Secret ssl_key_password;

  void Bind(config::Binder& binder);
};

// Says what is wrong with pass-through properties: one that is ours to decide, one that holds a
// secret, one that librdkafka does not know or whose value it refuses. "" = nothing.
std::string CheckProperties(const std::map<std::string, std::string>& properties);

// `name:partitions:replicas`, "device.control:3:2".
struct TopicSpec {
  std::string name;
  int partitions = 3;
  int replicas = 2;
};
base::Result<TopicSpec> ParseTopicSpec(std::string_view text);

}  // namespace heliograph::kafka
