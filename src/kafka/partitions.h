// Which partition a record goes to, where the one who sends it decides, and how many there are.
#pragma once

#include <cstdint>
#include <string_view>

namespace heliograph::kafka {

// The one of `count` (> 0) partitions that Java's producers choose for this key: murmur2.
std::int32_t PartitionOf(std::string_view key, std::int32_t count);

// How many partitions a topic has. Brokers learn of new ones one after the other, so a change
// counts when it was told twice in a row: by then no broker tells an old number to somebody else.
// Threads: one thread.
class SteadyCount {
 public:
  // True: count() is another one now.
  bool Tell(int told);
  int count() const { return count_; }  // 0 until the first is told

 private:
  int count_ = 0;
  int candidate_ = 0;
};

}  // namespace heliograph::kafka
