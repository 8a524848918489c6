// What a server counts. Threads: any thread.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "metrics/metrics.h"

namespace heliograph::http {

class ServerMetrics {
 public:
  ServerMetrics(metrics::Registry& registry, std::string_view server);

  // `route` is a path template, "" = none matched.
  void Answered(std::string_view method, std::string_view route, int status,
                std::chrono::duration<double> took);
  void Rejected(std::string_view cause);  // refused before a handler saw it, or dropped
  void ConnectionsChanged(int by) { connections_.Add(by); }
  void StreamsChanged(int by) { streams_.Add(by); }
  void StreamDropped() { streams_dropped_.Add(); }

 private:
  metrics::Registry& registry_;
  std::string server_;
  metrics::Gauge connections_;
  metrics::Gauge streams_;
  metrics::Counter streams_dropped_;
  std::mutex mutex_;
  // The registry's own look-up builds label maps; these are asked for each request. Both guarded by
  // mutex_.
  std::map<std::string, metrics::Counter, std::less<>> counters_;
  std::map<std::string, metrics::Histogram, std::less<>> seconds_;
};

}  // namespace heliograph::http
