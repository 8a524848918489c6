// HTTP/1.1 on loopback or a pod network: Pistache's listener and event loop under our own framing,
// reading and writing (why: io_worker.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "config/binder.h"
#include "http/message.h"
#include "metrics/metrics.h"

namespace heliograph::http {

struct ServerConfig {
  std::string host = "127.0.0.1";
  std::int64_t port = 8080;     // 0 = any free one
  std::int64_t io_threads = 2;  // sockets: parse and write, never wait
  std::int64_t handler_threads =
      16;  // handlers may wait (database, broker), bounded by their own deadlines
  std::int64_t max_waiting_requests = 512;  // for a handler thread
  std::int64_t max_connections = 1024;
  std::int64_t max_header_bytes = 16 * 1024;
  std::int64_t max_body_bytes = 1024 * 1024;
  std::int64_t max_held_bytes = 128 * 1024 * 1024;  // of all requests and answers together
  std::chrono::milliseconds request_timeout{
      std::chrono::seconds(10)};                                     // to receive a whole request
  std::chrono::milliseconds idle_timeout{std::chrono::seconds(60)};  // between requests
  std::chrono::milliseconds send_timeout{
      std::chrono::seconds(30)};  // for a client to take a whole answer
  std::chrono::milliseconds drain_timeout{std::chrono::seconds(5)};
  std::int64_t max_streams = 2048;  // open at a time
  // That wait for the client of one. All streams together stay below 256 MiB, however they lag.
  std::int64_t max_stream_bytes = 96 * 1024;
  std::chrono::milliseconds stream_heartbeat{std::chrono::seconds(15)};

  void Bind(config::Binder& binder);
};

// On a handler thread. What it throws becomes a 500 problem without its text.
using Handler = std::function<Response(const Request&)>;

// Beyond max_connections a client is answered 503 and closed; beyond max_waiting_requests, or when
// a request has waited longer than request_timeout for a thread, it is answered 503 with
// Retry-After, and so is a stream (event_stream.h) beyond max_streams. Metrics, each with the label
// server=<name>: heliograph_http_requests_total, _request_seconds, _connections, _rejected_total,
// _streams, _streams_dropped_total. Threads: the handler runs on "<name>-h0" …, sockets on
// "<name>-io", accepting on "<name>-accept"; the members are for one thread.
class Server {
 public:
  // `name` begins the names of its threads. Throws base::StartupError (port taken, …), which says
  // which address.
  Server(const ServerConfig& config, std::string_view name, Handler handler,
         metrics::Registry& metrics);
  // Drains: refuses new connections, ends streams, answers what is in flight with Connection:
  // close, waits at most drain_timeout; a handler that still runs then is waited for, and its
  // answer dropped.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;

 private:
  class Running;
  std::unique_ptr<Running> running_;
};

}  // namespace heliograph::http
