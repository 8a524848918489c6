// How webhooks are delivered.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "config/binder.h"

namespace heliograph::webhooks {

struct Config {
  std::int64_t max_per_tenant = 20;
  bool allow_http = false;
  std::vector<std::string> allowed_networks;
  std::string ca_file;
  std::chrono::milliseconds connect_timeout{std::chrono::seconds(3)};
  std::chrono::milliseconds timeout{std::chrono::seconds(10)};
  std::int64_t max_connections = 64;
  std::int64_t max_batch_events = 100;
  std::chrono::milliseconds retry_first{std::chrono::seconds(1)};
  std::chrono::milliseconds retry_longest{std::chrono::minutes(5)};
  std::chrono::milliseconds disable_after{std::chrono::hours(12)};
  std::int64_t disable_after_failures = 20;

  void Bind(config::Binder& binder);
};

}  // namespace heliograph::webhooks
