// How long to wait before the next try: exponential with full jitter.
// Source: "Exponential Backoff and Jitter", AWS Architecture Blog, 2015 (the "full jitter" variant,
// with a floor).
#pragma once

#include <chrono>
#include <random>

namespace heliograph::base {

// Threads: one thread.
class Backoff {
 public:
  // The n-th wait is uniform in [first, min(longest, first * 2^n)].
  Backoff(std::chrono::milliseconds first, std::chrono::milliseconds longest,
          unsigned seed = std::random_device{}());

  std::chrono::milliseconds Next();
  void Reset();  // after a success

 private:
  std::chrono::milliseconds first_;
  std::chrono::milliseconds longest_;
  std::chrono::milliseconds ceiling_;
  std::minstd_rand random_;
};

}  // namespace heliograph::base
