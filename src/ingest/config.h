// The settings of heliograph-ingest.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "config/binder.h"
#include "kafka/config.h"
#include "kafka/topics.h"
#include "mqtt/config.h"

namespace heliograph::ingest {

struct MqttConfig {
  mqtt::ConnectionConfig connection;
  std::string client_id = "@ingest";
  std::chrono::milliseconds session_expiry{std::chrono::hours(30 * 24)};
  std::int64_t receive_maximum = 20'000;
  std::chrono::milliseconds takeover_backoff{std::chrono::seconds(30)};

  void Bind(config::Binder& binder);
};

struct KafkaConfig {
  kafka::ClusterConfig cluster;
  std::chrono::milliseconds linger{1};

  void Bind(config::Binder& binder);
};

struct TopicsConfig {
  std::string control = "device.control:3:2";
  std::string data = "device.data:3:2";
  std::string dead_letter = "device.dead-letter:3:2";

  void Bind(config::Binder& binder);
};

// When the acknowledgement window closes by itself; see window.h.
struct WindowConfig {
  std::int64_t max_messages = 20'000;
  std::int64_t max_bytes = 8 * 1024 * 1024;
  std::chrono::milliseconds max_age{100};
  std::chrono::milliseconds gather{10};
  std::chrono::milliseconds rest{1};

  void Bind(config::Binder& binder);
};

// How many receipts may wait; see receipts.h.
struct ReceiptsConfig {
  std::int64_t max_waiting = 20'000;
  std::int64_t max_bytes = 16 * 1024 * 1024;

  void Bind(config::Binder& binder);
};

struct Config {
  std::string topic_prefix = "heliograph";
  std::int64_t max_packet_bytes = 1024 * 1024;
  MqttConfig mqtt;
  KafkaConfig kafka;
  TopicsConfig topics;
  WindowConfig window;
  ReceiptsConfig receipts;

  void Bind(config::Binder& binder);

  // What Kafka and its client must take so that whatever the broker lets in fits.
  std::size_t max_message_bytes() const;
  // How long Kafka may take to confirm a window that is closed: a PINGREQ waits behind its
  // acknowledgements.
  std::chrono::milliseconds confirm_limit() const { return mqtt.connection.keepalive / 3; }
};

// The three topics' names and shapes. Precondition: the configuration was checked.
struct Topics {
  kafka::TopicPlan control;
  kafka::TopicPlan data;
  kafka::TopicPlan dead_letter;
};
Topics PlanTopics(const Config& config);

}  // namespace heliograph::ingest
