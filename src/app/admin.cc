#include "app/admin.h"

#include <memory>
#include <string>

#include "http/router.h"

namespace heliograph::app {
namespace {

http::ServerConfig ServerConfigOf(const AdminConfig& config) {
  http::ServerConfig server;
  server.host = config.host;
  server.port = config.port;
  server.io_threads = 1;
  server.handler_threads = 2;
  server.max_connections = 64;
  server.max_body_bytes = 0;
  server.drain_timeout = std::chrono::milliseconds(500);
  return server;
}

http::Response Readiness(const base::Health& health) {
  http::Response response;
  const auto dependencies = health.Snapshot();
  bool ready = !dependencies.empty();
  std::string members;
  for (const auto& [name, dependency] : dependencies) {
    ready = ready && dependency.ready;
    members += (members.empty() ? "" : ",") + http::JsonString(name) +
               ":{\"ready\":" + (dependency.ready ? "true" : "false") +
               ",\"reason\":" + http::JsonString(dependency.reason) + "}";
  }
  response.status = ready ? 200 : 503;
  response.body = std::string("{\"ready\":") + (ready ? "true" : "false") + ",\"dependencies\":{" +
                  members + "}}";
  return response;
}

// What /readyz tells, for alerts.
void TellReadiness(const base::Health& health, metrics::Registry& metrics) {
  for (const auto& [name, dependency] : health.Snapshot()) {
    metrics
        .AddGauge("heliograph_app_ready", "1 where the dependency is ready, as /readyz tells it.",
                  {{"dependency", name}})
        .Set(dependency.ready ? 1 : 0);
  }
}

http::Handler Routes(const base::Health& health, metrics::Registry& metrics) {
  auto router = std::make_shared<http::Router>();
  router->Add("GET", "/livez", [](const http::Request&) {
    http::Response response;
    response.body = R"({"alive":true})";
    return response;
  });
  router->Add("GET", "/readyz", [&health](const http::Request&) { return Readiness(health); });
  router->Add("GET", "/metrics", [&health, &metrics](const http::Request&) {
    TellReadiness(health, metrics);
    http::Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = metrics.Exposition();
    return response;
  });
  return [router](const http::Request& request) { return router->Route(request); };
}

}  // namespace

AdminEndpoint::AdminEndpoint(const AdminConfig& config, const base::Health& health,
                             metrics::Registry& metrics)
    : server_(ServerConfigOf(config), "admin", Routes(health, metrics), metrics) {}

}  // namespace heliograph::app
