#include "webhooks/receiver.h"

#include <utility>

#include "webhooks/definition.h"

namespace heliograph::webhooks {

Receiver::Receiver(postgres::ClaimedWebhook claimed, base::SteadyTime now)
    : webhook(std::move(claimed)),
      filter(FilterOf(webhook.definition, webhook.tenant)),
      // What cannot be read is before everything: the receiver is told that events may be missing.
      place(events::ReadPlace(webhook.place).value_or(Place())),
      saved(place),
      next_try(now + webhook.retry_in),
      waiting_since(webhook.waiting_since) {}

void Receiver::Update(postgres::ClaimedWebhook claimed, base::SteadyTime now) {
  const bool is_changed = claimed.revision != webhook.revision;
  webhook = std::move(claimed);
  gone = false;
  if (!is_changed) return;
  filter = FilterOf(webhook.definition, webhook.tenant);
  retry_up_to.reset();
  next_try = now + webhook.retry_in;
}

}  // namespace heliograph::webhooks
