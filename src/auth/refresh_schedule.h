// When the keys of an identity provider are asked for again. Pure.
#pragma once

#include <chrono>
#include <optional>

#include "base/clock.h"

namespace heliograph::auth {

// Threads: one thread.
class RefreshSchedule {
 public:
  // `every`: when all is well. `least`: the shortest time between the end of one attempt and the
  // next one, whoever asks and however often.
  RefreshSchedule(std::chrono::milliseconds every, std::chrono::milliseconds least)
      : every_(every), least_(least) {}

  // Whether somebody who misses a key may have them asked for.
  bool MayAsk(base::SteadyTime now) const { return !ended_ || now - *ended_ >= least_; }

  // Whether it is time, also without anybody who misses a key.
  bool IsDue(base::SteadyTime now) const {
    return MayAsk(now) && (!succeeded_ || now - *ended_ >= every_);
  }

  // Whether the last attempt, if there was one, found keys: then what is not among them does not
  // exist.
  bool succeeded() const { return succeeded_; }

  void Ended(base::SteadyTime now, bool succeeded) {
    ended_ = now;
    succeeded_ = succeeded;
  }

 private:
  std::chrono::milliseconds every_;
  std::chrono::milliseconds least_;
  std::optional<base::SteadyTime> ended_;
  bool succeeded_ = false;
};

}  // namespace heliograph::auth
