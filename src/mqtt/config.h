// Where the broker is and how to talk to it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/binder.h"
#include "tls/certificate.h"

namespace heliograph::mqtt {

struct ConnectionConfig {
  std::vector<std::string> hosts{"localhost:8884"};
  std::string ca_file = "certs/ca.crt";
  std::string cert_file;
  std::string key_file;
  std::chrono::milliseconds keepalive{std::chrono::seconds(30)};
  std::chrono::milliseconds connect_timeout{std::chrono::seconds(5)};
  std::chrono::milliseconds backoff_first{100};
  std::chrono::milliseconds backoff_longest{std::chrono::seconds(5)};

  void Bind(config::Binder& binder);

  tls::Files files() const { return {ca_file, cert_file, key_file}; }
};

struct Will {
  std::string topic;
  std::string payload;
  int qos = 1;
};

// What a program says of its own connection; not settings of an operator.
struct ClientOptions {
  std::string client_id;
  bool clean_start = true;
  std::chrono::seconds session_expiry{0};
  std::uint16_t receive_maximum = 0;      // 0 = libmosquitto's default, 20
  std::uint32_t maximum_packet_size = 0;  // 0 = no limit stated
  std::optional<Will> will;
};

}  // namespace heliograph::mqtt
