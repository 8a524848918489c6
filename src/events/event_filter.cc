#include "events/event_filter.h"

#include <charconv>
#include <limits>

#include "base/rfc3339.h"
#include "events/group_members.h"
#include "json/json.h"

namespace heliograph::events {
namespace {

constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();

// Reads a decimal number off the front. False: there is none, or it does not fit.
template <class Number>
bool TakeNumber(std::string_view& text, Number& number) {
  if (text.empty() || text.front() < '0' || text.front() > '9') return false;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool TakeDot(std::string_view& text) {
  if (!text.starts_with('.')) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::string_view EventTypeName(EventType type) {
  switch (type) {
    case EventType::kTarget:
      return "action.target";
    case EventType::kEnded:
      return "action.ended";
    case EventType::kOnline:
      return "connection.online";
    case EventType::kOffline:
      return "connection.offline";
    case EventType::kChanged:
      return "connection.changed";
  }
  return "";
}

std::optional<EventType> ParseEventType(std::string_view name) {
  for (const auto type : kEventTypes) {
    if (name == EventTypeName(type)) return type;
  }
  return std::nullopt;
}

bool IsOfAction(EventType type) { return type == EventType::kTarget || type == EventType::kEnded; }

EventType TypeOf(const postgres::TargetChange& change) {
  return change.target ? EventType::kTarget : EventType::kEnded;
}

EventType TypeOf(const postgres::ConnectionChange& change) {
  if (change.change == device::Change::kOnline) return EventType::kOnline;
  return change.change == device::Change::kOffline ? EventType::kOffline : EventType::kChanged;
}

bool EventFilter::WantsDevice(const device::ClientId& client_id) const {
  return client_id.view().starts_with(client_id_prefix) && (!group || group->Has(client_id));
}

bool EventFilter::Wants(const postgres::TargetChange& change) const {
  if (sight && change.tenant != sight) return false;
  if (!WantsType(TypeOf(change))) return false;
  if (action_id && change.action_id != *action_id) return false;
  if (client_id_prefix.empty() && !group) return true;
  return change.target && WantsDevice(change.target->client_id);
}

bool EventFilter::Wants(const postgres::ConnectionChange& change) const {
  if (sight && change.tenant != sight) return false;
  return !action_id && WantsType(TypeOf(change)) && WantsDevice(change.client_id);
}

bool EventFilter::WantsActions() const {
  return WantsType(EventType::kTarget) || WantsType(EventType::kEnded);
}

bool EventFilter::WantsConnections() const {
  return !action_id && (WantsType(EventType::kOnline) || WantsType(EventType::kOffline) ||
                        WantsType(EventType::kChanged));
}

std::string WriteChangeEvent(const postgres::TargetChange& change) {
  std::string out = R"({"specversion":"1.0","id":")" + WritePlace(EventPlace::Of(change.place));
  out += R"(","source":"/heliograph/actions","type":"heliograph.)";
  out.append(EventTypeName(TypeOf(change)));
  out.append(R"(","subject":")");
  out.append(change.target ? change.target->client_id.view() : change.action_id.view());
  out += R"(","time":")" + base::FormatRfc3339(change.at);
  out += R"(","datacontenttype":"application/json","data":{"action_id":")";
  out.append(change.action_id.view()).append(R"(","tenant":)");
  if (change.tenant) {
    json::AppendString(out, change.tenant->view());
  } else {
    out += "null";
  }
  out += R"(,"directive":)";
  json::AppendString(out, change.directive.view());
  if (change.target) {
    out += R"(,"target":)";
    action::AppendTarget(out, *change.target);
  }
  return out += "}}";
}

EventPlace EventPlace::Of(const postgres::TargetLogPlace& place) {
  return {place.xid, Log::kActions, place.place, 0};
}

EventPlace EventPlace::Of(const postgres::ConnectionLogPlace& place) {
  return {place.xid, Log::kConnections, place.partition, place.offset};
}

postgres::TargetLogPlace EventPlace::InActions() const {
  return {xid, log == Log::kActions ? first : kLast};
}

postgres::ConnectionLogPlace EventPlace::InConnections() const {
  if (log == Log::kConnections) return {xid, first, second};
  return {xid, -1, -1};
}

std::string WritePlace(const EventPlace& place) {
  const std::string begin = std::to_string(place.xid) + "." + std::to_string(place.first);
  if (place.log == EventPlace::Log::kActions) return "t" + begin;
  return "c" + begin + "." + std::to_string(place.second);
}

std::optional<EventPlace> ReadPlace(std::string_view id) {
  if (!id.starts_with('t') && !id.starts_with('c')) return std::nullopt;
  EventPlace place;
  if (id.front() == 'c') place.log = EventPlace::Log::kConnections;
  id.remove_prefix(1);
  if (!TakeNumber(id, place.xid) || !TakeDot(id) || !TakeNumber(id, place.first)) {
    return std::nullopt;
  }
  if (place.log == EventPlace::Log::kConnections) {
    if (place.first > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
    if (!TakeDot(id) || !TakeNumber(id, place.second)) return std::nullopt;
  }
  if (!id.empty()) return std::nullopt;
  return place;
}

}  // namespace heliograph::events
