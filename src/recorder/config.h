// Settings of heliograph-recorder.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "config/binder.h"
#include "kafka/config.h"
#include "owner/owners.h"
#include "postgres/config.h"

namespace heliograph::recorder {

struct KafkaConfig {
  kafka::ClusterConfig cluster;
  std::string group_id = "heliograph-recorder";
  std::string group_instance_id;  // "" = the host's name

  void Bind(config::Binder& binder);
};

// `name:partitions:replicas`
struct TopicsConfig {
  std::string control = "device.control:3:2";
  std::string data = "device.data:3:2";
  std::string dead_letter = "device.dead-letter:3:2";
  std::string events = "connection.events:3:2";
  std::string results = "action.results:3:2";
  std::string action_dead_letter = "action.dead-letter:3:2";

  void Bind(config::Binder& binder);
};

struct BatchConfig {
  std::int64_t max_records = 5000;
  std::chrono::milliseconds max_wait{5};
  std::int64_t workers = 1;

  void Bind(config::Binder& binder);
};

struct Config {
  std::int64_t max_packet_bytes = 1024 * 1024;
  KafkaConfig kafka;
  TopicsConfig topics;
  postgres::Config postgres;
  owner::Config owners;
  BatchConfig batch;

  void Bind(config::Binder& binder);

  // What Kafka must take so that every packet that the broker lets in fits, with key and headers.
  std::size_t max_message_bytes() const;
};

}  // namespace heliograph::recorder
