// Waits for many descriptors at once. Level-triggered.
#pragma once

#include <sys/epoll.h>

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "base/unique_fd.h"

namespace heliograph::fleet {

// Threads: one thread.
class Epoll {
 public:
  Epoll();  // throws std::system_error

  // False when the descriptor cannot be waited for (a file).
  bool Add(int fd, std::uint32_t events, std::uint64_t tag);
  void Change(int fd, std::uint32_t events, std::uint64_t tag);
  void Remove(int fd);

  std::span<const epoll_event> Wait(std::chrono::milliseconds longest);

 private:
  base::UniqueFd fd_;
  std::vector<epoll_event> events_;
};

}  // namespace heliograph::fleet
