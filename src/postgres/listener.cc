#include "postgres/listener.h"

#include <poll.h>

#include <algorithm>
#include <utility>

namespace heliograph::postgres {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kConnectEvery{1};

}  // namespace

Listener::Listener(Config config, std::string application_name, std::string_view channel)
    : config_(std::move(config)),
      application_name_(std::move(application_name)),
      channel_(channel) {}

bool Listener::Connect() {
  if (connection_ && connection_->healthy()) return false;
  connection_.reset();
  if (steady_clock::now() < connect_again_at_) return false;
  connect_again_at_ = steady_clock::now() + kConnectEvery;
  auto connection = Connection::Open(config_, application_name_);
  if (!connection || !connection->ExecuteScript("LISTEN " + channel_)) return false;
  connection_.emplace(*std::move(connection));
  return true;
}

void Listener::Wait(base::Wakeup& wakeup, base::SteadyTime until) {
  if (Connect()) return;
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now());
    pollfd watched[] = {{wakeup.fd(), POLLIN, 0},
                        {connection_ ? connection_->socket() : -1, POLLIN, 0}};
    const int ready = ::poll(watched, 2, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (watched[0].revents != 0) wakeup.Clear();
    if (ready == 0 || watched[0].revents != 0) return;
    if (ready < 0) continue;  // a signal
    const auto taken = connection_->TakeNotifications();
    if (!taken || *taken > 0) return;
  }
}

}  // namespace heliograph::postgres
