#include "api/event_routes.h"

#include <utility>

#include "api/parameters.h"
#include "api/problems.h"

namespace heliograph::api {

void EventRoutes::AddTo(http::Router& router, const Guard& guard) {
  router.Add("GET", "/v1/events",
             guard.Protect(auth::Scope::kActionsWrite,
                           [this](const http::Request& request, const auth::Principal& caller) {
                             return Open(request, caller);
                           }));
}

http::Response EventRoutes::Open(const http::Request& request, const auth::Principal& caller) {
  Parameters parameters(request, {"type", "client_id_prefix", "action_id"}, {"type"});
  events::EventFilter filter;
  filter.sight = TenantOf(caller);
  for (const auto& [name, value] : request.query) {
    if (name != "type") continue;
    if (const auto type = events::ParseEventType(value)) {
      filter.types.insert(*type);
    } else {
      parameters.Refuse("type", "is not the type of an event");
    }
  }
  filter.client_id_prefix = parameters.ClientIdPrefix("client_id_prefix");
  filter.action_id = parameters.ActionId("action_id");
  if (parameters.fault()) return *parameters.fault();
  std::optional<postgres::TargetLogPlace> after;
  if (const auto id = request.Header("last-event-id"); id && !id->empty()) {
    after = events::ReadPlace(*id);
    if (!after) return InvalidLastEventId();
  }
  auto stream = hub_.Open(std::move(filter), after);
  if (!stream) return FromError(stream.error());
  return http::StreamResponse(*std::move(stream));
}

}  // namespace heliograph::api
