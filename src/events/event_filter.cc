#include "events/event_filter.h"

#include <charconv>

#include "base/rfc3339.h"
#include "json/json.h"

namespace heliograph::events {
namespace {

// Reads a decimal number off the front. False: there is none, or it does not fit.
template <class Number>
bool TakeNumber(std::string_view& text, Number& number) {
  if (text.empty() || text.front() < '0' || text.front() > '9') return false;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

}  // namespace

std::string_view EventTypeName(EventType type) {
  return type == EventType::kTarget ? "action.target" : "action.ended";
}

std::optional<EventType> ParseEventType(std::string_view name) {
  for (const auto type : {EventType::kTarget, EventType::kEnded}) {
    if (name == EventTypeName(type)) return type;
  }
  return std::nullopt;
}

EventType TypeOf(const postgres::TargetChange& change) {
  return change.target ? EventType::kTarget : EventType::kEnded;
}

bool EventFilter::Wants(const postgres::TargetChange& change) const {
  if (sight && change.tenant != sight) return false;
  if (!types.empty() && !types.contains(TypeOf(change))) return false;
  if (action_id && change.action_id != *action_id) return false;
  if (client_id_prefix.empty()) return true;
  return change.target && change.target->client_id.view().starts_with(client_id_prefix);
}

std::string WriteChangeEvent(const postgres::TargetChange& change) {
  std::string out = R"({"specversion":"1.0","id":")" + WritePlace(change.place);
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

std::string WritePlace(const postgres::TargetLogPlace& place) {
  return "t" + std::to_string(place.xid) + "." + std::to_string(place.place);
}

std::optional<postgres::TargetLogPlace> ReadPlace(std::string_view id) {
  postgres::TargetLogPlace place;
  if (!id.starts_with('t')) return std::nullopt;
  id.remove_prefix(1);
  if (!TakeNumber(id, place.xid) || !id.starts_with('.')) return std::nullopt;
  id.remove_prefix(1);
  if (!TakeNumber(id, place.place) || !id.empty()) return std::nullopt;
  return place;
}

}  // namespace heliograph::events
