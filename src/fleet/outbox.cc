#include "fleet/outbox.h"

#include <algorithm>

namespace heliograph::fleet {

Outbox::Item Outbox::Take(base::Timestamp now) {
  if (!HasDue()) kept_.push_back({++last_, now, false});
  Item& item = kept_[next_++];
  const Item taken = item;
  item.again = true;
  return taken;
}

void Outbox::OnAcknowledged(std::uint64_t sequence) {
  acknowledged_.Add(sequence);
  Forget(sequence);
}

void Outbox::OnNoSubscriber(std::uint64_t sequence) {
  no_subscriber_.Add(sequence);
  Forget(sequence);
}

void Outbox::OnRefused(std::uint64_t sequence) {
  refused_.Add(sequence);
  Forget(sequence);
}

void Outbox::Forget(std::uint64_t sequence) {
  // Almost always the first.
  const auto found = std::find_if(kept_.begin(), kept_.end(),
                                  [&](const Item& item) { return item.sequence == sequence; });
  if (found == kept_.end()) return;
  if (static_cast<std::size_t>(found - kept_.begin()) < next_) --next_;
  kept_.erase(found);
}

}  // namespace heliograph::fleet
