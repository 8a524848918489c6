// The publishing of one message to many devices: which are out, which are acknowledged, what became
// of each.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "action/target_status.h"
#include "base/clock.h"
#include "mqtt/session.h"

namespace heliograph::dispatch {

// What became of one target: kPublished, kUndeliverable, or kQueued where it is to be tried again;
// the latter two with one of the reasons in action/action.h.
struct Fate {
  action::TargetEvent event = action::TargetEvent::kQueued;
  std::string_view reason;
};

Fate FateOf(mqtt::PublishOutcome outcome);

// Outlives the call that made it: acknowledgements may come after everybody stopped waiting, and
// count for nothing then. Threads: Acknowledge from any thread; the rest from the one that
// publishes.
class Publication {
 public:
  explicit Publication(std::size_t targets) : fates_(targets) {}

  // Waits until fewer than `window` are out. False: the deadline came first.
  bool WaitForRoom(std::size_t window, base::SteadyTime deadline);
  void Begin(std::size_t target);     // it is out
  void Withdraw(std::size_t target);  // it was not sent after all
  void Acknowledge(std::size_t target, Fate fate);

  // Waits for all that are out; then, or at the deadline, ends the publication and tells every
  // target's fate: who was never out was not sent, who is still out was not acknowledged.
  std::vector<Fate> End(base::SteadyTime deadline);

 private:
  enum class Stage { kWaiting, kOut, kDone };
  struct Entry {
    Stage stage = Stage::kWaiting;
    Fate fate;
  };

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Entry> fates_;  // guarded by mutex_
  std::size_t out_ = 0;       // guarded by mutex_
  std::size_t window_ =
      0;  // guarded by mutex_: whoever waits for room wants fewer out than this; 0 = for none out
  bool ended_ = false;  // guarded by mutex_
};

}  // namespace heliograph::dispatch
