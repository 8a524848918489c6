// This process's connection to the broker: it publishes and reads nothing.
#pragma once

#include <string>

#include "base/health.h"
#include "config/binder.h"
#include "dispatch/lease.h"
#include "dispatch/sender.h"
#include "mqtt/config.h"
#include "mqtt/session.h"

namespace heliograph::dispatch {

struct BrokerConfig {
  mqtt::ConnectionConfig connection;
  std::string client_id;  // what client ids begin with; "" = made of the host's name

  void Bind(config::Binder& binder);
};

// What Lease's client ids begin with: the configured name, else "@" and the host's or pod's name.
// Devices' names never begin with "@". Throws base::StartupError for a name that is none.
std::string NameOf(const BrokerConfig& config);

// Connects under `client_id`, whereupon the broker closes an older connection of that name, and
// leaves again. kUnavailable: the broker did not let us in within a few seconds.
base::Status CloseConnection(const mqtt::ConnectionConfig& config, const std::string& client_id);

// Keeps the health of "mqtt" up to date. Threads: any thread.
class BrokerSession final : public Sender {
 public:
  // Connects only under what `lease` gives it. Throws base::StartupError; does not wait for the
  // broker.
  BrokerSession(const BrokerConfig& config, Lease& lease, base::Health& health);
  ~BrokerSession() override;

  bool connected() const override;
  base::Status Publish(mqtt::OutgoingMessage message, const std::string& under,
                       mqtt::PublishCallback on_done) override;
  void Reconnect() override;

 private:
  Lease& lease_;
  mqtt::Session session_;
};

}  // namespace heliograph::dispatch
