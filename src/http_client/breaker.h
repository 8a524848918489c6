// Stops asking a service that does not answer: a circuit breaker. Pure.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace heliograph::http_client {

// Whether an answer of this status says nothing of the service: it answers, but not this request.
// One caller's must not shut the others out.
inline bool IsAboutTheRequest(int status) {
  return status >= 400 && status < 500 && status != 401 && status != 403 && status != 408 &&
         status != 429;
}

// Threads: one thread.
class Breaker {
 public:
  // Opens after `failures` in a row, for `open_for`; then one call at a time tries, until one
  // succeeds.
  Breaker(std::int64_t failures, std::chrono::milliseconds open_for)
      : most_failures_(failures), open_for_(open_for) {}

  // Whether a call may be made now; if so, its end is told by the next two, or not at all where it
  // tells nothing of the service.
  bool MayTry(base::SteadyTime now) {
    if (failures_ < most_failures_) return true;
    if (now < opened_at_ + open_for_) return false;
    opened_at_ = now;  // the others wait for this one's outcome
    return true;
  }

  void Succeeded() { failures_ = 0; }

  void Failed(base::SteadyTime now) {
    if (failures_ < most_failures_) ++failures_;
    if (failures_ >= most_failures_) opened_at_ = now;
  }

  bool is_open() const { return failures_ >= most_failures_; }

 private:
  std::int64_t most_failures_;
  std::chrono::milliseconds open_for_;
  std::int64_t failures_ = 0;  // in a row
  base::SteadyTime opened_at_{};
};

}  // namespace heliograph::http_client
