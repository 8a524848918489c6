#include "fleet/outbox.h"

#include <algorithm>

namespace heliograph::fleet {
namespace {

constexpr int kMostDoublings = 4;

}  // namespace

void Outbox::SkipToDue() {
  while (next_ < kept_.size() && !kept_[next_].due) ++next_;
}

Outbox::Place Outbox::Find(std::uint64_t sequence) {
  const auto found = std::lower_bound(
      kept_.begin(), kept_.end(), sequence,
      [](const Kept& kept, std::uint64_t number) { return kept.item.sequence < number; });
  return found != kept_.end() && found->item.sequence == sequence ? found : kept_.end();
}

Outbox::Item Outbox::Take(base::Timestamp now) {
  if (!HasDue()) kept_.push_back({{++last_, now, false}, true, 0, std::nullopt});
  Kept& kept = kept_[next_];
  const Item taken = kept.item;
  kept.item.again = true;
  kept.due = false;
  kept.answered_at.reset();
  SkipToDue();
  return taken;
}

bool Outbox::OnAcknowledged(std::uint64_t sequence, base::SteadyTime now) {
  const std::uint64_t before = acknowledged_.size();
  acknowledged_.Add(sequence);
  Answered(sequence, now);
  return acknowledged_.size() > before;
}

void Outbox::OnNoSubscriber(std::uint64_t sequence, base::SteadyTime now) {
  no_subscriber_.Add(sequence);
  Answered(sequence, now);
}

void Outbox::OnRefused(std::uint64_t sequence) {
  refused_.Add(sequence);
  Forget(sequence);
}

bool Outbox::OnReceipt(std::uint64_t sequence) {
  if (!Forget(sequence)) return false;
  receipted_.Add(sequence);
  return true;
}

void Outbox::Answered(std::uint64_t sequence, base::SteadyTime now) {
  if (!with_receipts_) {
    Forget(sequence);
    return;
  }
  const Place found = Find(sequence);
  if (found != kept_.end() && !found->due) found->answered_at = now;
}

void Outbox::OnTime(base::SteadyTime now, std::chrono::milliseconds timeout) {
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    Kept& kept = kept_[i];
    const auto wait = timeout * (1 << std::min(kept.timeouts, kMostDoublings));
    if (kept.due || !kept.answered_at || now - *kept.answered_at < wait) continue;
    kept.due = true;
    ++kept.timeouts;
    next_ = std::min(next_, i);
  }
}

void Outbox::OnConnectionLost() {
  for (Kept& kept : kept_) kept.due = true;
  next_ = 0;
}

bool Outbox::Forget(std::uint64_t sequence) {
  const Place found = Find(sequence);
  if (found == kept_.end()) return false;
  if (static_cast<std::size_t>(found - kept_.begin()) < next_) --next_;
  kept_.erase(found);
  SkipToDue();
  return true;
}

}  // namespace heliograph::fleet
