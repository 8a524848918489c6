#include "base/backoff.h"

#include <algorithm>

namespace heliograph::base {

Backoff::Backoff(std::chrono::milliseconds first, std::chrono::milliseconds longest, unsigned seed)
    : first_(first), longest_(std::max(first, longest)), ceiling_(first), random_(seed) {}

std::chrono::milliseconds Backoff::Next() {
  std::uniform_int_distribution<std::chrono::milliseconds::rep> pick(first_.count(),
                                                                     ceiling_.count());
  const std::chrono::milliseconds wait{pick(random_)};
  ceiling_ = std::min(longest_, ceiling_ * 2);
  return wait;
}

void Backoff::Reset() { ceiling_ = first_; }

}  // namespace heliograph::base
