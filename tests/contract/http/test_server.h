// A real server on a free port, with routes that show how it treats requests.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "http/router.h"
#include "http/server.h"
#include "metrics/metrics.h"

namespace heliograph::http::testing {

// Settings for tests: a few threads, generous times.
ServerConfig SmallServer();

// GET  /tiny            {"ok":true}
// POST /echo            the body
// GET  /big?bytes=N     N bytes
// GET  /slow            answers once Release() was called
// GET  /see             what the handler sees: method, path, request id, header "authorization",
// body GET  /throw-int, /throw-error, /bad-header, /no-content, /things/{id} Threads: any thread.
class TestServer {
 public:
  explicit TestServer(const ServerConfig& config = SmallServer());
  ~TestServer();  // releases what is slow

  std::uint16_t port() const { return server_->port(); }
  int Handled(const std::string& path) const;  // how often a handler was called for it
  int handled() const;
  int slow_waiting() const { return slow_waiting_.load(); }
  void Release();
  void Stop() { server_.reset(); }  // drains
  std::string Metrics() const { return registry_.Exposition(); }
  double Rejected(const std::string& cause);

 private:
  Response Handle(const Request& request);
  Response Slow();

  metrics::Registry registry_;
  Router router_;
  mutable std::mutex mutex_;
  std::condition_variable released_changed_;
  bool released_ = false;               // guarded by mutex_
  std::map<std::string, int> handled_;  // guarded by mutex_
  std::atomic<int> slow_waiting_{0};
  std::unique_ptr<Server> server_;
};

}  // namespace heliograph::http::testing
