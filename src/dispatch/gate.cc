#include "dispatch/gate.h"

#include <algorithm>

namespace heliograph::dispatch {

Gate::Place Gate::Enter() {
  using std::chrono::steady_clock;
  std::unique_lock lock(mutex_);
  const base::SteadyTime last_try = steady_clock::now() + 4 * patience_;
  while (taken_ >= most_) {
    const base::SteadyTime until = std::min(moved_at_ + patience_, last_try);
    if (steady_clock::now() >= until) return nullptr;
    left_.wait_until(lock, until);
  }
  ++taken_;
  moved_at_ = steady_clock::now();
  return Place(this);
}

void Gate::Leave() noexcept {
  {
    const std::lock_guard lock(mutex_);
    --taken_;
    moved_at_ = std::chrono::steady_clock::now();
  }
  left_.notify_one();
}

}  // namespace heliograph::dispatch
