// Time as a dependency, so that tests can say what time it is.
#pragma once

#include <chrono>

namespace heliograph::base {

// UTC, as PostgreSQL and Kafka keep it. Microseconds.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;
using SteadyTime = std::chrono::steady_clock::time_point;

// Threads: any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp Now() const = 0;         // for records and people; may jump
  virtual SteadyTime SteadyNow() const = 0;  // for deadlines; never goes back
};

class SystemClock final : public Clock {
 public:
  Timestamp Now() const override;
  SteadyTime SteadyNow() const override;
};

}  // namespace heliograph::base
