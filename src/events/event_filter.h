// Which events a stream wants, and how an event is written. Pure.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "postgres/target_log.h"

namespace heliograph::events {

enum class EventType { kTarget, kEnded };
// "action.target", "action.ended".
std::string_view EventTypeName(EventType type);
std::optional<EventType> ParseEventType(std::string_view name);

EventType TypeOf(const postgres::TargetChange& change);

// All that is given must hold.
struct EventFilter {
  std::optional<device::TenantId> sight = {};  // nullopt = an operator's: all
  std::set<EventType> types = {};              // none = all
  std::string client_id_prefix = {};           // "" = any; else of targets only
  std::optional<action::ActionId> action_id = {};

  bool Wants(const postgres::TargetChange& change) const;
};

// CloudEvents 1.0 in JSON. Its `id` is that of the place.
std::string WriteChangeEvent(const postgres::TargetChange& change);

// The `id` of an event: where a client that comes again goes on. Opaque to callers; whatever they
// send is checked.
std::string WritePlace(const postgres::TargetLogPlace& place);
std::optional<postgres::TargetLogPlace> ReadPlace(std::string_view id);

}  // namespace heliograph::events
