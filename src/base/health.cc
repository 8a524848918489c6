#include "base/health.h"

#include <algorithm>

namespace heliograph::base {

void Health::SetReady(const std::string& dependency) { Set(dependency, true, ""); }

void Health::SetDegraded(const std::string& dependency, const std::string& reason) {
  Set(dependency, true, reason);
}

void Health::SetNotReady(const std::string& dependency, const std::string& reason) {
  Set(dependency, false, reason);
}

void Health::Set(const std::string& dependency, bool ready, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  Dependency& one = dependencies_[dependency];
  const bool changes = one.was_ready && one.ready != ready;
  one = {ready, reason, one.was_ready || ready};
  if (changes && on_change_) on_change_(dependency, ready ? "" : reason);
}

std::map<std::string, Health::Dependency> Health::Snapshot() const {
  const std::lock_guard lock(mutex_);
  return dependencies_;
}

bool Health::ready() const {
  const std::lock_guard lock(mutex_);
  return !dependencies_.empty() && std::all_of(dependencies_.begin(), dependencies_.end(),
                                               [](const auto& one) { return one.second.ready; });
}

}  // namespace heliograph::base
