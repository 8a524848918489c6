// Who is online, since when and why not: the rules, pure. docs/ARCHITECTURE.md, "What decides who
// is online", has the why.
//
// State and intervals are a function of `device.control` alone: the order of the log and the
// session a message belongs to decide, never the device's clock.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "device/control_message.h"
#include "device/ids.h"

namespace heliograph::device {

enum class ConnectionState { kUnknown, kOnline, kOffline };
std::string_view ConnectionStateName(ConnectionState state);  // "online"

inline constexpr std::string_view kSaidOnline = "said_online";
inline constexpr std::string_view kSuperseded = "superseded";

// One row of what the REST object `connection` tells.
struct Connection {
  ClientId client_id;
  std::optional<TenantId> tenant;  // nullopt = nobody is known to own it
  ConnectionState state = ConnectionState::kUnknown;
  base::Timestamp since{};  // record time of what brought it into this state
  std::string reason;
  base::Timestamp last_seen{};          // record time of its newest control message
  std::optional<SessionId> session_id;  // of the stay that is, or was last
  Description description;
  LogPosition position;  // of its newest control message
};

// One stay online. Named by the position of the *online* that opened it, so that a rebuild gives
// the same rows.
struct Interval {
  LogPosition opened_at;
  std::optional<SessionId> session_id;
  MessageId message_id;
  base::Timestamp online_from{};
  std::optional<base::Timestamp> online_until;  // nullopt = open
  std::string end_reason;                       // "" while open
  bool touched = false;                         // to be written: new or altered since it was loaded
};

// A connection with the stays that the rules need: the open one, and every one whose session a
// message to come names.
struct History {
  Connection connection;
  std::vector<Interval> intervals;  // at most one is open
};

// Whether an *offline* ends the open stay. Only a late will does not: both carry session ids, they
// differ, and the *offline*'s own session is known to have ended. An unknown id closes (its
// *online* was lost); a missing one closes by log order.
bool ClosesSession(const Offline& offline, const Interval& open, bool own_session_has_ended);

enum class Change { kNone, kOnline, kOffline, kChanged };

// Applies one record of the log. `time` is when Kafka stored it. The change is what the world is
// told; kNone also where only last_seen moved. Records of one client must come in the order of the
// log.
Change Apply(const ControlMessage& message, const LogPosition& position, base::Timestamp time,
             History& history);

// The REST object: also `data` of the events. JSON.
std::string WriteConnection(const Connection& connection);

}  // namespace heliograph::device
