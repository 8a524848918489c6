// Calls of several threads to one service, a bounded number at a time.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "http_client/client.h"

namespace heliograph::http_client {

// Threads: any thread.
class Pool {
 public:
  Pool(const ClientConfig& config, std::size_t most) : config_(config), most_(most) {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // As Client::Send. Waits for its turn for config.timeout at most, then kUnavailable.
  base::Result<Response> Send(const Request& request);

 private:
  std::unique_ptr<Client> Take();  // nullptr: no turn in time
  void GiveBack(std::unique_ptr<Client> client);

  const ClientConfig config_;
  const std::size_t most_;
  std::mutex mutex_;
  std::condition_variable given_back_;
  std::vector<std::unique_ptr<Client>> idle_;  // guarded by mutex_, as is the next
  std::size_t made_ = 0;
};

}  // namespace heliograph::http_client
