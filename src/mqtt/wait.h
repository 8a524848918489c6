// Waiting for one socket, up to a point in time. Private to this folder.
#pragma once

#include <poll.h>

#include <algorithm>
#include <chrono>

namespace heliograph::mqtt {

// What is left, rounded up, never negative.
inline std::chrono::milliseconds Until(std::chrono::steady_clock::time_point deadline) {
  return std::max(std::chrono::milliseconds(0), std::chrono::ceil<std::chrono::milliseconds>(
                                                    deadline - std::chrono::steady_clock::now()));
}

// False when the time is over.
inline bool Poll(int fd, short events, std::chrono::milliseconds timeout) {
  pollfd one{fd, events, 0};
  return ::poll(&one, 1, static_cast<int>(timeout.count())) != 0;
}

}  // namespace heliograph::mqtt
