// Whether a process can do its work, dependency by dependency: what /readyz tells.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace heliograph::base {

// Threads: any thread.
class Health {
 public:
  // `on_change` is told when a dependency that was ready no longer is (with the reason), and when
  // it is again (with ""); not of the first time. Under a lock, on the caller's thread: it must be
  // quick and not come back here.
  using OnChange = std::function<void(const std::string& dependency, const std::string& reason)>;
  explicit Health(OnChange on_change = {}) : on_change_(std::move(on_change)) {}

  // A dependency is not ready until it first says so. `reason` is one sentence.
  void SetReady(const std::string& dependency);
  // Ready, but not all is well: the work goes on without it. `reason` as below.
  void SetDegraded(const std::string& dependency, const std::string& reason);
  void SetNotReady(const std::string& dependency, const std::string& reason);

  struct Dependency {
    bool ready = false;
    std::string reason;      // why it is not ready, or degraded; "": all is well
    bool was_ready = false;  // ever
  };
  std::map<std::string, Dependency> Snapshot() const;
  bool ready() const;  // all are, and there is at least one

 private:
  void Set(const std::string& dependency, bool ready, const std::string& reason);

  const OnChange on_change_;
  mutable std::mutex mutex_;
  std::map<std::string, Dependency> dependencies_;  // guarded by mutex_
};

}  // namespace heliograph::base
