#include "dispatch/broker_session.h"

#include <unistd.h>

#include <array>
#include <chrono>
#include <future>
#include <optional>
#include <utility>

#include "base/startup_error.h"
#include "device/ids.h"

namespace heliograph::dispatch {
namespace {

constexpr std::size_t kLongestName = 100;
constexpr std::chrono::seconds kCloseTime{5};

mqtt::SessionOptions OptionsOf(Lease& lease, base::Health& health) {
  health.SetNotReady("mqtt", "not connected yet");
  mqtt::SessionOptions options;
  options.identify = [&lease] { return lease.Claim(); };
  options.thread_name = "mqtt-publisher";
  options.on_state = [&health](bool connected, const std::string& why) {
    connected ? health.SetReady("mqtt") : health.SetNotReady("mqtt", why);
  };
  return options;
}

std::string HostName() {
  std::array<char, 65> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host.fill('\0');
  std::string name;
  for (const char c : std::string(host.data()))
    name += device::IsClientId(std::string(1, c)) ? c : '-';
  return name;
}

}  // namespace

void BrokerConfig::Bind(config::Binder& binder) {
  connection.Bind(binder);
  binder.String(client_id, "client_id",
                "What the client id begins with: @, then up to 100 bytes; a few letters are added, "
                "new for each lease. Empty: @ and the host's name.");
}

std::string NameOf(const BrokerConfig& config) {
  if (config.client_id.empty()) return "@" + HostName();
  if (config.client_id.front() != '@' || config.client_id.size() > kLongestName + 1 ||
      !device::IsClientId(config.client_id.substr(1))) {
    throw base::StartupError("mqtt.client_id '" + config.client_id +
                             "' is not `@` followed by 1 to 100 bytes of A-Z a-z 0-9 . _ : -");
  }
  return config.client_id;
}

base::Status CloseConnection(const mqtt::ConnectionConfig& config, const std::string& client_id) {
  mqtt::SessionOptions options;
  options.client.client_id = client_id;
  options.thread_name = "mqtt-takeover";
  std::promise<void> let_in;
  options.on_state = [&let_in, first = true](bool connected, const std::string&) mutable {
    if (connected && std::exchange(first, false)) let_in.set_value();
  };
  std::optional<mqtt::Session> session;
  try {
    session.emplace(config, std::move(options));
  } catch (const base::StartupError& error) {  // certificates that are being renewed
    return base::MakeError(base::ErrorCode::kUnavailable, error.what());
  }
  if (let_in.get_future().wait_for(kCloseTime) == std::future_status::ready) return {};
  return base::MakeError(base::ErrorCode::kUnavailable, session->last_error());
}

BrokerSession::BrokerSession(const BrokerConfig& config, Lease& lease, base::Health& health)
    : lease_(lease), session_(config.connection, OptionsOf(lease, health)) {
  // Also where nobody has closed it: the row was deleted by hand, or the database is a backup.
  lease.OnLost([this] { session_.Reconnect(); });
}

BrokerSession::~BrokerSession() { lease_.OnLost({}); }

bool BrokerSession::connected() const { return session_.connected(); }

base::Status BrokerSession::Publish(mqtt::OutgoingMessage message, const std::string& under,
                                    mqtt::PublishCallback on_done) {
  if (!lease_.Holds(under)) {
    return base::MakeError(base::ErrorCode::kConflict, "the lease is lost");
  }
  return session_.Publish(std::move(message), std::move(on_done), under);
}

void BrokerSession::Reconnect() { session_.Reconnect(); }

}  // namespace heliograph::dispatch
