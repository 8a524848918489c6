#include "dispatch/publication.h"

#include "action/action.h"

namespace heliograph::dispatch {

using action::TargetEvent;

Fate FateOf(mqtt::PublishOutcome outcome) {
  switch (outcome) {
    case mqtt::PublishOutcome::kAcknowledged:
      return {TargetEvent::kPublished, {}};
    case mqtt::PublishOutcome::kNoMatchingSubscribers:
      return {TargetEvent::kUndeliverable, action::kNoMatchingSubscribers};
    case mqtt::PublishOutcome::kRefused:
      return {TargetEvent::kUndeliverable, action::kRefusedByBroker};
    case mqtt::PublishOutcome::kConnectionLost:
      return {TargetEvent::kQueued, action::kNotAcknowledged};
  }
  return {TargetEvent::kQueued, action::kNotAcknowledged};
}

bool Publication::WaitForRoom(std::size_t window, base::SteadyTime deadline) {
  std::unique_lock lock(mutex_);
  window_ = window;
  return changed_.wait_until(lock, deadline, [&] { return out_ < window; });
}

void Publication::Begin(std::size_t target) {
  const std::lock_guard lock(mutex_);
  fates_[target].stage = Stage::kOut;
  ++out_;
}

void Publication::Withdraw(std::size_t target) {
  const std::lock_guard lock(mutex_);
  fates_[target].stage = Stage::kWaiting;
  --out_;
}

void Publication::Acknowledge(std::size_t target, Fate fate) {
  const std::lock_guard lock(mutex_);
  if (ended_ || fates_[target].stage != Stage::kOut) return;
  fates_[target] = {Stage::kDone, fate};
  --out_;
  if (out_ < window_ || out_ == 0) changed_.notify_one();
}

std::vector<Fate> Publication::End(base::SteadyTime deadline) {
  std::unique_lock lock(mutex_);
  window_ = 0;
  changed_.wait_until(lock, deadline, [this] { return out_ == 0; });
  ended_ = true;
  std::vector<Fate> fates;
  fates.reserve(fates_.size());
  for (const Entry& entry : fates_) {
    switch (entry.stage) {
      case Stage::kWaiting:
        fates.push_back({TargetEvent::kQueued, action::kNotSent});
        break;
      case Stage::kOut:
        fates.push_back({TargetEvent::kQueued, action::kNotAcknowledged});
        break;
      case Stage::kDone:
        fates.push_back(entry.fate);
        break;
    }
  }
  return fates;
}

}  // namespace heliograph::dispatch
