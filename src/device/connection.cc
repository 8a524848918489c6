#include "device/connection.h"

#include <algorithm>

#include "base/rfc3339.h"
#include "json/json.h"

namespace heliograph::device {
namespace {

Interval* FindOpen(History& history) {
  const auto open = std::find_if(history.intervals.begin(), history.intervals.end(),
                                 [](const Interval& one) { return !one.online_until; });
  return open == history.intervals.end() ? nullptr : &*open;
}

// The stay that this very *online* opened before: the message is a repeat.
Interval* FindOpenedBy(History& history, const std::optional<SessionId>& session,
                       const MessageId& message) {
  if (!session || message.empty()) return nullptr;
  const auto same = std::find_if(
      history.intervals.begin(), history.intervals.end(),
      [&](const Interval& one) { return one.session_id == session && one.message_id == message; });
  return same == history.intervals.end() ? nullptr : &*same;
}

bool HasEnded(const History& history, const std::optional<SessionId>& session) {
  return session &&
         std::any_of(history.intervals.begin(), history.intervals.end(), [&](const Interval& one) {
           return one.session_id == session && one.online_until;
         });
}

// What PostgreSQL gives back has other spaces and another order of names than what was stored.
bool SameJson(const std::string& left, const std::string& right) {
  return left == right || *json::Parse(left) == *json::Parse(right);
}

bool Same(const Description& left, const Description& right) {
  return left.client_name == right.client_name && left.client_version == right.client_version &&
         SameJson(left.tags, right.tags) && SameJson(left.dispatchers, right.dispatchers) &&
         SameJson(left.canonical_facts, right.canonical_facts);
}

void Close(Interval& interval, base::Timestamp time, std::string_view reason) {
  interval.online_until = std::max(time, interval.online_from);  // the broker's clock may step back
  interval.end_reason = reason;
  interval.touched = true;
}

Change Enter(Connection& connection, base::Timestamp since, const Online& online) {
  connection.state = ConnectionState::kOnline;
  connection.since = since;
  connection.reason = kSaidOnline;
  connection.session_id = online.session_id;
  connection.description = online.description;
  return Change::kOnline;
}

Change Reopen(Interval& interval, Interval* open, const Online& online, base::Timestamp time,
              History& history) {
  if (&interval == open) {
    history.connection.description = online.description;
    return Change::kNone;
  }
  if (open != nullptr) Close(*open, time, kSuperseded);
  interval.online_until.reset();
  interval.end_reason.clear();
  interval.touched = true;
  return Enter(history.connection, interval.online_from, online);
}

Change ApplyOnline(const Online& online, const ControlMessage& message, const LogPosition& position,
                   base::Timestamp time, History& history) {
  Interval* open = FindOpen(history);
  if (Interval* same = FindOpenedBy(history, online.session_id, message.message_id)) {
    return Reopen(*same, open, online, time, history);
  }
  // The same session says online again when what it tells of itself has changed. Agents without
  // session ids do so, too.
  if (open != nullptr && open->session_id == online.session_id) {
    const bool changed = !Same(history.connection.description, online.description);
    history.connection.description = online.description;
    return changed ? Change::kChanged : Change::kNone;
  }
  if (open != nullptr) Close(*open, time, kSuperseded);
  history.intervals.push_back(
      {position, online.session_id, message.message_id, time, std::nullopt, "", true});
  return Enter(history.connection, time, online);
}

Change ApplyOffline(const Offline& offline, base::Timestamp time, History& history) {
  Connection& connection = history.connection;
  Interval* open = FindOpen(history);
  if (open != nullptr) {
    if (!ClosesSession(offline, *open, HasEnded(history, offline.session_id))) return Change::kNone;
    Close(*open, time, offline.reason);
  } else if (connection.state == ConnectionState::kOffline) {
    return Change::kNone;
  }
  connection.state = ConnectionState::kOffline;
  connection.since = time;
  connection.reason = offline.reason;
  return Change::kOffline;
}

void AppendMember(std::string& out, std::string_view name, std::string_view json_text) {
  out.append(out.back() == '{' ? "\"" : ",\"").append(name).append("\":").append(json_text);
}

void AppendText(std::string& out, std::string_view name, std::string_view text) {
  AppendMember(out, name, "");
  json::AppendString(out, text);
}

void AppendOptional(std::string& out, std::string_view name, std::string_view text) {
  if (text.empty()) {
    AppendMember(out, name, "null");
  } else {
    AppendText(out, name, text);
  }
}

}  // namespace

std::string_view ConnectionStateName(ConnectionState state) {
  switch (state) {
    case ConnectionState::kUnknown:
      return "unknown";
    case ConnectionState::kOnline:
      return "online";
    case ConnectionState::kOffline:
      return "offline";
  }
  return "unknown";
}

bool ClosesSession(const Offline& offline, const Interval& open, bool own_session_has_ended) {
  if (!offline.session_id || !open.session_id) return true;
  if (*offline.session_id == *open.session_id) return true;
  return !own_session_has_ended;
}

Change Apply(const ControlMessage& message, const LogPosition& position, base::Timestamp time,
             History& history) {
  Change change = Change::kNone;
  if (const auto* online = std::get_if<Online>(&message.body)) {
    change = ApplyOnline(*online, message, position, time, history);
  } else if (const auto* offline = std::get_if<Offline>(&message.body)) {
    change = ApplyOffline(*offline, time, history);
  } else if (history.connection.state == ConnectionState::kUnknown) {
    history.connection.since = time;  // heard of, but whether it is online nobody has said
  }
  history.connection.last_seen = time;
  history.connection.position = position;
  return change;
}

std::string WriteConnection(const Connection& connection) {
  std::string out = "{";
  AppendText(out, "client_id", connection.client_id.view());
  AppendOptional(out, "tenant", connection.tenant ? connection.tenant->view() : "");
  AppendText(out, "state", ConnectionStateName(connection.state));
  AppendText(out, "since", base::FormatRfc3339(connection.since));
  AppendOptional(out, "reason", connection.reason);
  AppendText(out, "last_seen", base::FormatRfc3339(connection.last_seen));
  AppendOptional(out, "session_id", connection.session_id ? connection.session_id->view() : "");
  AppendOptional(out, "client_name", connection.description.client_name);
  AppendOptional(out, "client_version", connection.description.client_version);
  AppendMember(out, "dispatchers", connection.description.dispatchers);
  AppendMember(out, "canonical_facts", connection.description.canonical_facts);
  AppendMember(out, "tags", connection.description.tags);
  AppendText(out, "log_position", ToString(connection.position));
  return out += "}";
}

}  // namespace heliograph::device
