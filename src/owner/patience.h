// How long somebody who has other things to do may wait for answers. Pure.
#pragma once

#include <algorithm>
#include <chrono>

#include "base/clock.h"

namespace heliograph::owner {

// Threads: one thread.
class Patience {
 public:
  // At most `most` at a time, and in the long run a tenth of the time.
  explicit Patience(std::chrono::milliseconds most) : most_(most), left_(most) {}

  std::chrono::nanoseconds Left(base::SteadyTime now) {
    if (now > since_) left_ = std::min(most_, left_ + (now - since_) / 10);
    since_ = std::max(since_, now);
    return left_;
  }

  void Spend(std::chrono::nanoseconds time) {
    left_ = std::max(std::chrono::nanoseconds(0), left_ - time);
  }

 private:
  std::chrono::nanoseconds most_;
  std::chrono::nanoseconds left_;
  base::SteadyTime since_{};
};

}  // namespace heliograph::owner
