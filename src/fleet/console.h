// Orders from standard input and signals, as descriptors for a loop.
#pragma once

#include <csignal>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "fleet/orders.h"

namespace heliograph::fleet {

// Threads: one thread; made before any other is started, which inherit that SIGINT and SIGTERM come
// here.
class Console {
 public:
  Console();  // throws std::system_error
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  int input_fd() const noexcept { return 0; }
  int signal_fd() const noexcept { return signals_.get(); }

  // What has come since the last call; lines that are no order are told on standard error. `ended`:
  // there is no more.
  std::vector<Order> ReadOrders(bool& ended);
  void TakeSignal();

 private:
  base::UniqueFd signals_;
  sigset_t former_mask_{};
  std::string partial_;  // of a line
};

}  // namespace heliograph::fleet
