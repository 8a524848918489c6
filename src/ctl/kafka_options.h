// Where Kafka is, for the commands that need it themselves.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "kafka/config.h"

namespace CLI {
class App;
}  // namespace CLI

namespace heliograph::ctl {

struct KafkaOptions {
  std::string brokers = kafka::ClusterConfig{}.brokers;
  std::vector<std::string> properties;  // "name=value"
  std::string sasl_password_file;
  std::string key_password_file;

  void Declare(CLI::App& command);
  // kInvalidArgument: a property that is no pair or that librdkafka refuses, a secret's file that
  // cannot be read.
  base::Result<kafka::ClusterConfig> ToConfig() const;
};

}  // namespace heliograph::ctl
