// An HTTP server that answers each connection with fixed bytes, whatever is asked: for what a
// decent server never does.
#pragma once

#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.h"

namespace heliograph::http_client {

// Threads: any thread; answers on a thread of its own.
class ScriptedServer {
 public:
  enum class Then { kKeepsOpen, kCloses };

  // On loopback; port 0 = a free one. After each request's head and its body by Content-Length,
  // sends `answer`.
  ScriptedServer(std::string answer, Then then, std::string host = "127.0.0.1", int port = 0);
  ~ScriptedServer();

  std::string url() const;
  int port() const { return port_; }
  std::vector<std::string> requests() const;  // as they came, head and body
  int connections() const;

 private:
  void Serve();
  void Converse(int fd);

  std::string answer_;
  Then then_;
  std::string host_;
  base::UniqueFd listener_;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;  // guarded by mutex_
  int connections_ = 0;                // guarded by mutex_
  base::UniqueFd stop_read_;
  base::UniqueFd stop_write_;
  std::thread thread_;
};

}  // namespace heliograph::http_client
