// How many actions may wait for the broker at once, so that a broker that is silent cannot hold
// every thread that answers requests.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>

#include "base/clock.h"

namespace heliograph::dispatch {

// Threads: any thread.
class Gate {
 public:
  // `most` places. Who finds all taken waits while places come free, and gives up when none came or
  // went for `patience`: a broker that acknowledges is worth a moment's wait, one that does not is
  // not.
  Gate(std::size_t most, std::chrono::milliseconds patience) : most_(most), patience_(patience) {}
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  struct Leaver {
    void operator()(Gate* gate) const noexcept { gate->Leave(); }
  };
  // A place that is taken; free again with its end. The gate outlives it.
  using Place = std::unique_ptr<Gate, Leaver>;

  // Null: there is no place. Takes at most four times the patience, also where others are always
  // quicker.
  Place Enter();

 private:
  void Leave() noexcept;

  const std::size_t most_;
  const std::chrono::milliseconds patience_;
  std::mutex mutex_;
  std::condition_variable left_;
  std::size_t taken_ = 0;      // guarded by mutex_
  base::SteadyTime moved_at_;  // guarded by mutex_: when somebody last came or went
};

}  // namespace heliograph::dispatch
