// Wakes a thread that sleeps in poll(): an eventfd.
#pragma once

#include "base/unique_fd.h"

namespace heliograph::base {

// Threads: Notify from any thread, also from a signal handler; the rest from the one that polls.
class Wakeup {
 public:
  Wakeup();  // throws std::system_error when the process has no descriptors left

  int fd() const noexcept { return fd_.get(); }  // readable after Notify until Clear
  void Notify() noexcept;
  void Clear() noexcept;

 private:
  UniqueFd fd_;
};

}  // namespace heliograph::base
