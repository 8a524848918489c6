// How fast messages come: whether it pays to let them gather before the next read.
#pragma once

#include <chrono>

#include "base/clock.h"

namespace heliograph::ingest {

// Threads: one thread.
class Pace {
 public:
  // `messages` were read at `now`, which may also be none.
  void Came(int messages, base::SteadyTime now);
  // Whether more than kBusyRate came in the last whole span.
  bool busy() const { return busy_; }

 private:
  int count_ = 0;  // of the span that has begun
  base::SteadyTime began_{};
  bool busy_ = false;
};

// Messages a millisecond. Below it there are cores enough for every read, and resting would only
// add to the latency; see docs/performance.md.
inline constexpr int kBusyRate = 15;
// Long enough that one burst does not count as a pace.
inline constexpr std::chrono::milliseconds kPaceSpan{8};

}  // namespace heliograph::ingest
