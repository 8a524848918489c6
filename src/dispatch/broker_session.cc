#include "dispatch/broker_session.h"

#include <unistd.h>

#include <array>
#include <utility>

#include "base/startup_error.h"
#include "base/uuid.h"
#include "device/ids.h"

namespace heliograph::dispatch {
namespace {

mqtt::SessionOptions OptionsOf(const BrokerConfig& config, base::Health& health) {
  if (!config.client_id.empty() &&
      (config.client_id.front() != '@' || !device::IsClientId(config.client_id.substr(1)))) {
    throw base::StartupError("mqtt.client_id '" + config.client_id +
                             "' is not `@` followed by 1 to 128 bytes of A-Z a-z 0-9 . _ : -");
  }
  health.SetNotReady("mqtt", "not connected yet");
  mqtt::SessionOptions options;
  options.client.client_id = config.client_id.empty() ? NewClientId() : config.client_id;
  options.thread_name = "mqtt-publisher";
  options.on_state = [&health](bool connected, const std::string& why) {
    connected ? health.SetReady("mqtt") : health.SetNotReady("mqtt", why);
  };
  return options;
}

}  // namespace

void BrokerConfig::Bind(config::Binder& binder) {
  connection.Bind(binder);
  binder.String(client_id, "client_id",
                "Begins with @; unique among all processes. Empty: @, the host's name and a few "
                "letters, new at each start.");
}

std::string NewClientId() {
  std::array<char, 65> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host.fill('\0');
  std::string id = "@";
  for (const char c : std::string(host.data()))
    id += device::IsClientId(std::string(1, c)) ? c : '-';
  return id + "-" + base::NewUuid().substr(0, 8);
}

BrokerSession::BrokerSession(const BrokerConfig& config, base::Health& health)
    : session_(config.connection, OptionsOf(config, health)) {}

bool BrokerSession::connected() const { return session_.connected(); }

base::Status BrokerSession::Publish(mqtt::OutgoingMessage message, mqtt::PublishCallback on_done) {
  return session_.Publish(std::move(message), std::move(on_done));
}

}  // namespace heliograph::dispatch
