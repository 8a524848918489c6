#include "base/health.h"

#include <algorithm>

namespace heliograph::base {

void Health::SetReady(const std::string& dependency) {
  const std::lock_guard lock(mutex_);
  dependencies_[dependency] = {true, ""};
}

void Health::SetNotReady(const std::string& dependency, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  dependencies_[dependency] = {false, reason};
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
