#include "http/server_metrics.h"

namespace heliograph::http {

ServerMetrics::ServerMetrics(metrics::Registry& registry, std::string_view server)
    : registry_(registry),
      server_(server),
      connections_(registry.AddGauge("heliograph_http_connections", "Open connections.",
                                     {{"server", server_}})),
      streams_(registry.AddGauge("heliograph_http_streams", "Open event streams.",
                                 {{"server", server_}})),
      streams_dropped_(
          registry.AddCounter("heliograph_http_streams_dropped_total",
                              "Event streams ended because their client took too little, too late.",
                              {{"server", server_}})) {}

void ServerMetrics::Answered(std::string_view method, std::string_view route, int status,
                             std::chrono::duration<double> took) {
  const std::string label(route.empty() ? std::string_view("none") : route);
  const std::string status_class = std::to_string(status / 100) + "xx";
  std::string key(method);
  key.append(" ").append(status_class).append(" ").append(label);

  const std::lock_guard lock(mutex_);
  auto counter = counters_.find(key);
  if (counter == counters_.end()) {
    counter = counters_
                  .emplace(key, registry_.AddCounter("heliograph_http_requests_total",
                                                     "Requests answered by a handler.",
                                                     {{"server", server_},
                                                      {"method", std::string(method)},
                                                      {"route", label},
                                                      {"status", status_class}}))
                  .first;
  }
  counter->second.Add();
  auto seconds = seconds_.find(label);
  if (seconds == seconds_.end()) {
    seconds =
        seconds_
            .emplace(label, registry_.AddHistogram("heliograph_http_request_seconds",
                                                   "From a request's last byte to its answer.",
                                                   metrics::LatencyBuckets(),
                                                   {{"server", server_}, {"route", label}}))
            .first;
  }
  seconds->second.Observe(took.count());
}

void ServerMetrics::Rejected(std::string_view cause) {
  registry_
      .AddCounter("heliograph_http_rejected_total",
                  "Requests refused by the server, and connections dropped, by cause.",
                  {{"server", server_}, {"cause", std::string(cause)}})
      .Add();
}

}  // namespace heliograph::http
