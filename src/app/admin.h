// The admin endpoint: /livez, /readyz, /metrics. On a port of its own, so that a blocked API worker
// cannot fail the probe.
#pragma once

#include "app/settings.h"
#include "base/health.h"
#include "http/server.h"
#include "metrics/metrics.h"

namespace heliograph::app {

// /livez: 200 while the process answers. /readyz: {"ready": bool, "dependencies": {name: {"ready":
// bool, "reason": text}}}, 200 or 503; what is ready and has a reason is degraded. /metrics:
// Prometheus's text format. Threads: made and destroyed by one thread; health and metrics outlive
// it.
class AdminEndpoint {
 public:
  // Throws base::StartupError when the address cannot be taken.
  AdminEndpoint(const AdminConfig& config, const base::Health& health, metrics::Registry& metrics);

  std::uint16_t port() const { return server_.port(); }

 private:
  http::Server server_;
};

}  // namespace heliograph::app
