// How many streams one server has open.
#pragma once

#include <atomic>
#include <cstdint>

#include "http/event_stream.h"
#include "http/server_metrics.h"

namespace heliograph::http {

// Threads: any thread.
class OpenStreams {
 public:
  OpenStreams(ServerMetrics& metrics, std::int64_t max) : metrics_(metrics), max_(max) {}

  bool TryBegin();               // false: there are as many as may be
  void Ended(StreamEnd reason);  // once for each that was begun

 private:
  ServerMetrics& metrics_;
  std::int64_t max_;
  std::atomic<std::int64_t> open_{0};
};

}  // namespace heliograph::http
