#include "mqtt/config.h"

#include <algorithm>

#include "mqtt/address.h"

namespace heliograph::mqtt {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

void ConnectionConfig::Bind(config::Binder& binder) {
  binder.StringList(hosts, "hosts",
                    "The broker, host:port; of several, the next is tried after each failure.");
  binder.String(ca_file, "ca_file",
                "The authorities that the broker's certificate may come from, PEM.");
  binder.String(cert_file, "cert_file", "Our certificate, PEM; its common name is our user name.");
  binder.String(key_file, "key_file", "The key of our certificate, PEM, without a pass phrase.");
  binder.Duration(
      keepalive, "keepalive_s", {5s, 1h},
      "Silence after which the connection is tested; the broker gives up after one and a half.");
  binder.Duration(
      connect_timeout, "connect_timeout_ms", {100ms, 1min},
      "The longest time for name, TCP and TLS together, and again for the broker's answer.");
  binder.Duration(backoff_first, "backoff_first_ms", {10ms, 1min},
                  "The shortest wait before connecting again.");
  binder.Duration(
      backoff_longest, "backoff_longest_ms", {10ms, 1h},
      "The longest wait before connecting again; the real one is random below a growing limit.");
  binder.Require(!hosts.empty(), "hosts names no broker");
  binder.Require(
      std::all_of(hosts.begin(), hosts.end(),
                  [](const std::string& host) { return ParseHostPort(host).has_value(); }),
      "hosts must be host:port, or [address]:port for IPv6");
  binder.Require(backoff_first <= backoff_longest,
                 "backoff_first_ms must not be longer than backoff_longest_ms");
}

}  // namespace heliograph::mqtt
