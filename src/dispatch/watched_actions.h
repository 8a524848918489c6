// Large actions that somebody looks at again and again.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "action/action.h"
#include "action/ids.h"
#include "base/clock.h"
#include "base/result.h"
#include "device/ids.h"

namespace heliograph::dispatch {

// To count 100,000 targets takes the database tens of milliseconds. So an action with more targets
// than are shown in full is counted by a thread of this class, however many callers ask however
// often: while somebody does, a few times a second, and for a fifth of the time at most. Threads:
// any thread.
class WatchedActions {
 public:
  using Shared = std::shared_ptr<const action::Action>;  // nullptr: there is none
  using Read = std::function<base::Result<Shared>(const action::ActionId&)>;

  // `read` is called by callers of Get, and by the thread.
  explicit WatchedActions(Read read, std::chrono::milliseconds oldest = std::chrono::seconds(1));
  ~WatchedActions();
  WatchedActions(const WatchedActions&) = delete;
  WatchedActions& operator=(const WatchedActions&) = delete;

  // For who sees the actions of this tenant; nullopt: all. A large one may be as it was `oldest`
  // ago, or ten times as long ago as counting it takes. Errors: those of Read.
  base::Result<Shared> Get(const action::ActionId& id,
                           const std::optional<device::TenantId>& tenant);

  // After a change of it that its caller expects to see.
  void Forget(const action::ActionId& id);

 private:
  struct Watched {
    Shared action;
    base::SteadyTime read_at;  // when reading began
    std::chrono::steady_clock::duration took;
    base::SteadyTime asked_at;
  };

  void Run(const std::stop_token& stop);
  Shared Fresh(const action::ActionId& id);
  base::Result<Shared> ReadNow(const action::ActionId& id, bool asked);

  const Read read_;
  const std::chrono::milliseconds oldest_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<action::ActionId, Watched> watched_;  // guarded by mutex_
  std::int64_t forgotten_ = 0;                   // guarded by mutex_; calls of Forget
  std::jthread thread_;
};

}  // namespace heliograph::dispatch
