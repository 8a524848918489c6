// A real server whose handler answers with streams, and what becomes of these.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "contract/http/raw_client.h"
#include "http/event_stream.h"
#include "http/router.h"
#include "http/server.h"
#include "metrics/metrics.h"

namespace heliograph::http::testing {

// What the server has told of one stream.
struct Told {
  std::atomic<int> ends{0};
  std::atomic<StreamEnd> end{StreamEnd::kClosed};  // once ends is 1
  std::atomic<int> drained{0};
};

struct TestStream {
  std::shared_ptr<EventStream> stream;
  std::shared_ptr<Told> told;

  bool Push(const std::string& text) const { return stream->Push(StreamText(text)); }
  bool Ended(StreamEnd end) const {  // waits for it; false when it ended otherwise
    return Eventually([this] { return told->ends.load() > 0; }) && told->end.load() == end;
  }
};

// GET /stream          a new stream; ?first=TEXT is pushed before it is returned
// GET /held            the same, once Release() was called
// GET /again           the first stream once more
// GET /created         a new stream with status 201
// GET /pages?count=N   a stream that pushes the next of N pages whenever all before have been
// taken, then closes GET /tiny            "tiny" Threads: any thread.
class StreamServer {
 public:
  explicit StreamServer(const ServerConfig& config);
  ~StreamServer();

  std::uint16_t port() const { return server_->port(); }
  TestStream stream(std::size_t number) const;  // in the order of the requests
  std::size_t streams() const;
  int held() const { return held_.load(); }  // handlers that wait
  void Release() { released_.store(true); }
  void Stop() { server_.reset(); }
  double Open() const { return Metric("heliograph_http_streams"); }
  double Dropped() const { return Metric("heliograph_http_streams_dropped_total"); }

 private:
  TestStream Make();
  Response Pages(const Request& request);
  double Metric(const std::string& name) const;

  metrics::Registry registry_;
  Router router_;
  mutable std::mutex mutex_;
  std::vector<TestStream> streams_;  // guarded by mutex_
  std::atomic<int> held_{0};
  std::atomic<bool> released_{false};
  std::unique_ptr<Server> server_;
};

// Asks for a stream and reads its head.
std::unique_ptr<RawClient> OpenStream(const StreamServer& server, int receive_buffer = 0);

// Page `number` of /pages: 1,000 bytes.
std::string Page(int number);

}  // namespace heliograph::http::testing
