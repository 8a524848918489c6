// Whether a process can do its work, dependency by dependency: what /readyz tells.
#pragma once

#include <map>
#include <mutex>
#include <string>

namespace heliograph::base {

// Threads: any thread.
class Health {
 public:
  // A dependency is not ready until it first says so. `reason` is one sentence.
  void SetReady(const std::string& dependency);
  void SetNotReady(const std::string& dependency, const std::string& reason);

  struct Dependency {
    bool ready = false;
    std::string reason;
  };
  std::map<std::string, Dependency> Snapshot() const;
  bool ready() const;  // all are, and there is at least one

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Dependency> dependencies_;  // guarded by mutex_
};

}  // namespace heliograph::base
