// SIGTERM and SIGINT as calls on a thread of their own.
#pragma once

#include <csignal>
#include <functional>
#include <thread>

#include "base/unique_fd.h"
#include "base/wakeup.h"

namespace heliograph::app {

// Threads: made and destroyed by the thread that starts all others, before any of them: they
// inherit its signal mask.
class Signals {
 public:
  // Ignores SIGPIPE. The first SIGTERM or SIGINT calls `on_stop` on thread "signals"; the second
  // ends the process at once.
  explicit Signals(std::function<void()> on_stop);
  ~Signals();  // gives the signals back their former meaning
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  void Watch();

  std::function<void()> on_stop_;
  sigset_t former_mask_{};
  base::UniqueFd signals_;
  base::Wakeup ending_;
  std::thread watcher_;
};

}  // namespace heliograph::app
