#include "api/event_routes.h"

#include <utility>

#include "api/parameters.h"
#include "api/problems.h"

namespace heliograph::api {

namespace {

using auth::Scope;
using events::EventType;

Scope ScopeOf(EventType type) {
  return events::IsOfAction(type) ? Scope::kActionsWrite : Scope::kConnectionsRead;
}

// The types that are asked for, or else all that the caller may see. What to answer where there are
// none, or where he asks for one that he may not see.
std::optional<http::Response> ChooseTypes(const auth::Principal& caller,
                                          std::set<EventType>& types) {
  for (const EventType type : types) {
    if (!caller.May(ScopeOf(type))) return PermissionDenied(auth::ScopeName(ScopeOf(type)));
  }
  if (!types.empty()) return std::nullopt;
  for (const EventType type : events::kEventTypes) {
    if (caller.May(ScopeOf(type))) types.insert(type);
  }
  if (types.empty()) return PermissionDenied(auth::ScopeName(Scope::kConnectionsRead));
  return std::nullopt;
}

}  // namespace

void EventRoutes::AddTo(http::Router& router, const Guard& guard) {
  router.Add("GET", "/v1/events",
             guard.Identify([this](const http::Request& request, const auth::Principal& caller) {
               return Open(request, caller);
             }));
}

http::Response EventRoutes::Open(const http::Request& request, const auth::Principal& caller) {
  Parameters parameters(request, {"type", "client_id_prefix", "group", "action_id"}, {"type"});
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
  const auto group = parameters.GroupName("group");
  if (auto denied = ChooseTypes(caller, filter.types)) return *std::move(denied);
  if (parameters.fault()) return *parameters.fault();
  std::optional<events::EventPlace> after;
  if (const auto id = request.Header("last-event-id"); id && !id->empty()) {
    after = events::ReadPlace(*id);
    if (!after) return InvalidLastEventId();
  }
  if (group) {
    auto members = hub_.groups().Open(filter.sight, *group);
    if (!members && members.error().code == base::ErrorCode::kTooLarge) {
      return InvalidParameter("group", "has too many devices to listen to: more than 100,000");
    }
    if (!members) return FromError(members.error());
    if (!*members) return InvalidParameter("group", "is no group of yours");
    filter.group = *std::move(members);
  }
  auto stream = hub_.Open(std::move(filter), after);
  if (!stream) return FromError(stream.error());
  return http::StreamResponse(*std::move(stream));
}

}  // namespace heliograph::api
