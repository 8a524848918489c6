// A set of numbers that mostly arrive in order, kept as ranges.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace heliograph::fleet {

// Threads: one thread.
class SequenceSet {
 public:
  using Range = std::pair<std::uint64_t, std::uint64_t>;  // first and last, both in the set

  void Add(std::uint64_t number);
  std::uint64_t size() const noexcept { return size_; }
  const std::vector<Range>& ranges() const noexcept { return ranges_; }

 private:
  std::vector<Range> ranges_;  // in order, with gaps between them
  std::uint64_t size_ = 0;
};

}  // namespace heliograph::fleet
