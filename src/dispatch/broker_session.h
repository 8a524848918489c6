// This process's connection to the broker: it publishes and reads nothing.
#pragma once

#include <string>

#include "base/health.h"
#include "config/binder.h"
#include "dispatch/sender.h"
#include "mqtt/config.h"
#include "mqtt/session.h"

namespace heliograph::dispatch {

struct BrokerConfig {
  mqtt::ConnectionConfig connection;
  std::string client_id;  // "" = made of the host's name

  void Bind(config::Binder& binder);
};

// "@", the host's or pod's name, and a few letters of this process's own, so that replicas on one
// host do not throw each other out. Devices' names never begin with "@".
std::string NewClientId();

// Keeps the health of "mqtt" up to date. Threads: any thread.
class BrokerSession final : public Sender {
 public:
  // Throws base::StartupError; does not wait for the broker.
  BrokerSession(const BrokerConfig& config, base::Health& health);

  bool connected() const override;
  base::Status Publish(mqtt::OutgoingMessage message, mqtt::PublishCallback on_done) override;

 private:
  mqtt::Session session_;
};

}  // namespace heliograph::dispatch
