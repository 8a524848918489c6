// Which events a stream wants, and how an event is written. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "postgres/connection_log.h"
#include "postgres/target_log.h"

namespace heliograph::events {

class GroupMembers;

enum class EventType { kTarget, kEnded, kOnline, kOffline, kChanged };
inline constexpr EventType kEventTypes[] = {EventType::kTarget, EventType::kEnded,
                                            EventType::kOnline, EventType::kOffline,
                                            EventType::kChanged};
// "action.target", "action.ended", "connection.online", "connection.offline", "connection.changed".
std::string_view EventTypeName(EventType type);
std::optional<EventType> ParseEventType(std::string_view name);
bool IsOfAction(EventType type);  // else of a connection

EventType TypeOf(const postgres::TargetChange& change);
EventType TypeOf(const postgres::ConnectionChange& change);

// All that is given must hold.
struct EventFilter {
  std::optional<device::TenantId> sight = {};  // nullopt = an operator's: all
  std::set<EventType> types = {};              // none = all
  std::string client_id_prefix = {};           // "" = any; else of devices only
  std::optional<action::ActionId> action_id = {};
  std::shared_ptr<const GroupMembers> group = {};  // null = any; else of devices only

  bool Wants(const postgres::TargetChange& change) const;
  bool Wants(const postgres::ConnectionChange& change) const;
  // Whether it may want anything of the one or the other kind.
  bool WantsActions() const;
  bool WantsConnections() const;

 private:
  bool WantsType(EventType type) const { return types.empty() || types.contains(type); }
  bool WantsDevice(const device::ClientId& client_id) const;
};

// CloudEvents 1.0 in JSON. Its `id` is that of the place.
std::string WriteChangeEvent(const postgres::TargetChange& change);

// A place in both logs: all transactions are numbered alike, and each event is in one log.
struct EventPlace {
  enum class Log : std::uint8_t { kActions, kConnections };

  std::uint64_t xid = 0;
  Log log = Log::kActions;
  std::int64_t first = 0;   // TargetLogPlace::place, or ConnectionLogPlace::partition
  std::int64_t second = 0;  // ConnectionLogPlace::offset

  auto operator<=>(const EventPlace&) const = default;

  static EventPlace Of(const postgres::TargetLogPlace& place);
  static EventPlace Of(const postgres::ConnectionLogPlace& place);
  // After all of the transactions below `end`, before all others.
  static EventPlace Before(std::uint64_t end) { return {end, Log::kActions, 0, 0}; }

  // Where reading one log goes on from here.
  postgres::TargetLogPlace InActions() const;
  postgres::ConnectionLogPlace InConnections() const;
};

// The `id` of an event: where a client that comes again goes on. Opaque to callers; whatever they
// send is checked.
std::string WritePlace(const EventPlace& place);
std::optional<EventPlace> ReadPlace(std::string_view id);

}  // namespace heliograph::events
