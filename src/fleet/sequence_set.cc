#include "fleet/sequence_set.h"

#include <algorithm>

namespace heliograph::fleet {

void SequenceSet::Add(std::uint64_t number) {
  // The first range that begins after the number; the one before it may hold or touch it.
  const auto after =
      std::upper_bound(ranges_.begin(), ranges_.end(), number,
                       [](std::uint64_t n, const Range& range) { return n < range.first; });
  const bool touches_after = after != ranges_.end() && after->first == number + 1;
  if (after != ranges_.begin()) {
    const auto before = std::prev(after);
    if (number <= before->second) return;
    if (number == before->second + 1) {
      ++size_;
      before->second = touches_after ? after->second : number;
      if (touches_after) ranges_.erase(after);
      return;
    }
  }
  ++size_;
  if (touches_after) {
    after->first = number;
  } else {
    ranges_.insert(after, {number, number});
  }
}

}  // namespace heliograph::fleet
