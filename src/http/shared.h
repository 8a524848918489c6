// What the I/O threads and the handler threads of one server share.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "http/connection.h"
#include "http/handler_pool.h"
#include "http/open_streams.h"
#include "http/server.h"
#include "http/server_metrics.h"

namespace heliograph::http {

// Threads: any thread.
class Shared {
 public:
  Shared(const ServerConfig& config, std::string_view name, Handler handler,
         metrics::Registry& registry);

  // Runs the handler and posts its answer. On a handler thread; does not throw.
  void Run(Job& job);

  // The answer to a request that no handler thread can take. On an I/O thread.
  std::string WriteOverloaded(const ParsedRequest& parsed);

  const ServerConfig config;
  const ConnectionLimits limits;
  ServerMetrics metrics;
  OpenStreams streams;
  std::atomic<bool> draining{false};
  std::atomic<std::int64_t> connections{0};
  std::atomic<std::int64_t> held_bytes{0};  // of all connections

 private:
  Response Handle(const Job& job) const;
  // What `response` has a stream for; where none comes of it, the stream's end, or a problem in its
  // place.
  std::unique_ptr<OutgoingStream> OpenStream(Response& response, const ParsedRequest& parsed);

  const Handler handler_;
};

}  // namespace heliograph::http
