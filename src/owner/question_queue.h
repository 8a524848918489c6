// Devices that are to be asked about, each once at a time. Pure.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "device/ids.h"
#include "owner/resolver.h"

namespace heliograph::owner {

// Threads: one thread.
class QuestionQueue {
 public:
  struct Waiter {
    std::size_t left = 0;  // questions of it that have not ended
  };

  explicit QuestionQueue(std::size_t most) : most_(most) {}

  // Of a device that waits, or is being asked about, nothing is added but the waiter. False: no
  // room, of which those in the background may take half.
  bool Add(const device::ClientId& client_id, Urgency urgency, Waiter* waiter);

  // The next one to ask about: of those that connect the oldest first, then of the others.
  std::optional<device::ClientId> Take();
  // Its question has ended. True: somebody has waited for this one, and has none left.
  bool End(const device::ClientId& client_id);
  // `waiter` waits no longer for any of these.
  void Forget(const Waiter* waiter, std::span<const device::ClientId> client_ids);

  bool empty() const { return waiting() == 0; }  // of questions to be asked
  std::size_t waiting() const { return connecting_.size() + background_.size(); }

 private:
  const std::size_t most_;
  // Of each device that waits or is being asked about, who waits for it.
  std::unordered_map<device::ClientId, std::vector<Waiter*>> waiters_;
  std::deque<device::ClientId> connecting_;
  std::deque<device::ClientId> background_;
};

}  // namespace heliograph::owner
