// How much of a batch is tried at a time, so that one record that cannot be applied is found and
// the others are applied. Pure. Threads: one thread.
#pragma once

#include <algorithm>
#include <cstddef>

#include "base/error.h"

namespace heliograph::recorder {

// Whether the database refuses the data itself, so that the same slice fails again whoever tries.
bool IsAboutData(base::ErrorCode code);

// Halves after each refusal until the record stands alone, and when the database is too slow for so
// much at a time; doubles after each success. Threads: one thread.
class Slicer {
 public:
  explicit Slicer(std::size_t most) : most_(most), limit_(most) {}

  // How many of the next `available` (> 0) records to try.
  std::size_t Next(std::size_t available) const { return std::min(available, limit_); }

  void Passed() { limit_ = std::min(most_, limit_ * 2); }
  // The data of a slice of `size` was refused. True: it was one record, which is therefore the one
  // to leave out.
  bool Refused(std::size_t size);
  // A slice of `size` took longer than the database allows.
  void TooSlow(std::size_t size) { limit_ = std::max<std::size_t>(1, size / 2); }

 private:
  std::size_t most_;
  std::size_t limit_;
};

}  // namespace heliograph::recorder
