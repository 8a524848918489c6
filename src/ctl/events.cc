#include "ctl/events.h"

#include <chrono>
#include <thread>
#include <utility>

#include "ctl/fields.h"
#include "json/json.h"

namespace heliograph::ctl {
namespace {

// Three heartbeats of the API.
constexpr std::chrono::seconds kLongestSilence{45};

void WriteEvent(const StreamEvent& event, const Console& console) {
  if (console.json) {
    json::Parsed data = json::Parse(event.data);
    const json::Value line{{"id", event.id},
                           {"type", event.type},
                           {"data", data ? std::move(*data) : json::Value(event.data)}};
    console.out << json::Write(line) << '\n' << std::flush;
  } else if (event.type != "reset") {
    console.out << EventLine(event) << '\n' << std::flush;
  }
  if (event.type == "reset") {
    console.err << "heliograph: events before " << Printable(event.id)
                << " are missing: they are kept for 24 hours. Ask for the state and go on\n"
                << std::flush;
  }
}

http_client::Query QueryOf(const WatchEventsOptions& options) {
  http_client::Query query;
  for (const std::string& type : options.types) query.emplace_back("type", type);
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) query.emplace_back(name, value);
  };
  add("client_id_prefix", options.client_id_prefix);
  add("group", options.group);
  add("action_id", options.action_id);
  return query;
}

}  // namespace

std::string EventLine(const StreamEvent& event) {
  const json::Parsed parsed = json::Parse(event.data);
  const json::Value whole = parsed && parsed->is_object() ? *parsed : json::Value::object();
  const auto member = [](const json::Value& object, const char* name) {
    const auto at = object.find(name);
    return at != object.end() && at->is_object() ? *at : json::Value::object();
  };
  const json::Value data = member(whole, "data");
  std::string line = TimeField(whole, "time") + "  " + event.type + "  " + Field(whole, "subject");
  const auto add = [&](const json::Value& object, const char* name, const char* after) {
    if (const std::string text = Field(object, name); text != "-") line += "  " + text + after;
  };
  if (event.type == "action.target") {
    const json::Value target = member(data, "target");
    add(data, "action_id", "");
    add(target, "status", "");
    add(target, "progress", " %");
    add(target, "reason", "");
    add(target, "note", "");
  } else {
    add(data, "directive", "");
    add(data, "reason", "");
  }
  return Printable(line + "  " + event.id);
}

base::Result<ExitCode> WatchEvents(const WatchEventsOptions& options, const Console& console) {
  auto api = Api::Open(options.api);
  if (!api) return std::move(api).error();
  EventParser parser([&](const StreamEvent& event) { WriteEvent(event, console); },
                     options.since_id);
  for (bool connected = false;;) {
    parser.BeginAnew();
    http_client::Headers headers;
    if (!parser.last_id().empty()) headers.emplace_back("Last-Event-ID", parser.last_id());
    const base::Status ended = api->Listen({"v1", "events"}, QueryOf(options), headers,
                                           kLongestSilence, [&](std::string_view text) {
                                             connected = true;
                                             parser.Take(text);
                                             return console.out.good();
                                           });
    if (!console.out.good()) return ExitCode::kOk;  // nobody reads
    if (!ended && (!connected || !base::IsRetriable(ended.error().code))) return ended.error();
    std::this_thread::sleep_for(parser.retry());
  }
}

}  // namespace heliograph::ctl
