// The second connection: hears how the broker is, sends the canary that must come back over the
// first, and receipts. What ingest itself publishes goes over this one, since on the first it would
// wait behind held acknowledgements.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/result.h"
#include "ingest/config.h"
#include "log/log.h"
#include "mqtt/session.h"

namespace heliograph::ingest {

// Whether a broker that calls itself so is known to lose what waits for a session, where
// per_listener_settings is true: Mosquitto 2.0.12 to 2.0.22, see docs/decisions/0014.
bool LosesWhatWaits(std::string_view version);

// Threads: one thread; the session's own ("mqtt-aux") fills the atomics.
class Heartbeat {
 public:
  // Throws StartupError as mqtt::Session. There is room for `receipts` that the broker has not
  // acknowledged.
  Heartbeat(const MqttConfig& config, std::string canary_topic, const base::Clock& clock,
            std::size_t receipts);
  ~Heartbeat();

  // Sends a canary with this payload, unless the connection is down.
  void SendCanary(const std::string& payload);
  // As mqtt::Session::Publish.
  base::Status Publish(mqtt::OutgoingMessage message, mqtt::PublishCallback on_done) {
    return session_.Publish(std::move(message), std::move(on_done));
  }

  std::string problem() const { return session_.last_error(); }  // "" while connected
  // The broker's count of dropped messages; nothing before it has told.
  std::optional<std::int64_t> dropped() const;
  // Since the last sign of life; nothing before the first.
  std::optional<std::chrono::nanoseconds> silence() const;

 private:
  void OnMessage(const mqtt::IncomingMessage& message);

  const std::string canary_topic_;
  const base::Clock& clock_;
  const log::Logger logger_{"ingest"};
  log::RateLimit refused_limit_{std::chrono::minutes(1)};
  std::atomic<std::int64_t> dropped_{-1};
  std::atomic<std::int64_t> heard_at_ns_{0};
  mqtt::Session session_;  // last: its callbacks use the rest
};

}  // namespace heliograph::ingest
