// What a service said of devices, and when it is worth asking again. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "base/clock.h"
#include "base/recent.h"
#include "device/ids.h"
#include "owner/reply.h"
#include "owner/resolver.h"

namespace heliograph::owner {

struct MemoryLimits {
  std::size_t most = 0;                       // devices
  std::chrono::milliseconds good_for{};       // an owner
  std::chrono::milliseconds first_try{};      // after the first answer that it is nobody's; doubles
  std::chrono::milliseconds last_try{};       // and the longest
  std::chrono::milliseconds first_failure{};  // after the first time in vain; doubles
  std::chrono::milliseconds last_failure{};
};

// Threads: one thread.
class AnswerMemory {
 public:
  explicit AnswerMemory(const MemoryLimits& limits);

  // nullopt: worth asking. What is not told was asked in vain lately.
  std::optional<Answer> Find(const device::ClientId& client_id, base::SteadyTime now);

  void Put(const device::ClientId& client_id, const Reply& reply, base::SteadyTime now);

  std::size_t size() const { return recent_.size(); }

 private:
  struct Known {
    Answer answer;
    base::SteadyTime good_until{};
    int times = 0;  // that it was the same answer, if it was no owner
  };

  const MemoryLimits limits_;
  // Kept for longer than it is good, so that `times` is known.
  base::Recent<device::ClientId, Known, base::SteadyTime> recent_;
};

}  // namespace heliograph::owner
