// GET /v1/events: what changes, as Server-Sent Events.
#pragma once

#include "api/guard.h"
#include "events/event_hub.h"
#include "http/router.h"

namespace heliograph::api {

// Threads: any thread.
class EventRoutes {
 public:
  explicit EventRoutes(events::EventHub& hub) : hub_(hub) {}

  void AddTo(http::Router& router, const Guard& guard);

 private:
  http::Response Open(const http::Request& request, const auth::Principal& caller);

  events::EventHub& hub_;
};

}  // namespace heliograph::api
