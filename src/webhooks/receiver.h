// A webhook of this process while it delivers to it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "events/event_filter.h"
#include "postgres/webhook_leases.h"
#include "webhooks/log_window.h"

namespace heliograph::webhooks {

// Threads: one thread.
struct Receiver {
  Receiver(postgres::ClaimedWebhook claimed, base::SteadyTime now);

  // What the database says of it now; of the same epoch.
  void Update(postgres::ClaimedWebhook claimed, base::SteadyTime now);
  bool WantsPing() const { return webhook.ping_asked_at.has_value(); }

  // Taken by the receiver, and not yet written down.
  struct Success {
    std::string place;
    std::int64_t events = 0;
  };

  postgres::ClaimedWebhook webhook;
  events::EventFilter filter;
  Place place;                       // everything up to here is delivered, or not wanted
  Place saved;                       // of it the database knows this much
  std::optional<Place> retry_up_to;  // what has failed is sent again as it was
  base::SteadyTime next_try{};
  std::optional<base::Timestamp> waiting_since;  // when the event was that is next
  std::optional<Success> unsaved;
  bool in_flight = false;
  bool gone = false;  // another's, deleted or disabled: only its answer is waited for
};

}  // namespace heliograph::webhooks
