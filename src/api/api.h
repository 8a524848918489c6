// heliograph-api: REST in; looks devices up, publishes to them, tells what became of it.
#pragma once

#include <memory>
#include <stop_token>

#include "api/config.h"
#include "base/health.h"
#include "metrics/metrics.h"

namespace heliograph::api {

// Threads: one thread; handlers run on the server's threads.
class Api {
 public:
  // Throws base::StartupError. Waits neither for the database nor for the broker.
  Api(const Config& config, base::Health& health, metrics::Registry& metrics);
  ~Api();
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  // Serves until stop is requested. The exit code.
  int Run(const std::stop_token& stop);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace heliograph::api
