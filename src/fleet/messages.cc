#include "fleet/messages.h"

#include <array>
#include <cstdint>
#include <cstdio>

#include "base/rfc3339.h"
#include "base/uuid.h"

namespace heliograph::fleet {
namespace {

// FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/. A device's facts must not change from run to
// run.
std::uint64_t HashOf(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ULL;
  }
  return hash;
}

std::string Format(const char* format, auto... values) {
  char text[128];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

struct Site {
  const char* name;
  const char* country;
  const char* kilowatt_peak;
};

constexpr std::array kSites = {
    Site{"clinic-east", "KE", "12"},   Site{"school-north", "UG", "8"},
    Site{"water-works-2", "TZ", "30"}, Site{"cold-store", "RW", "18"},
    Site{"relay-station", "TH", "5"},  Site{"village-grid-4", "MM", "75"},
};

std::string ControlMessage(std::string_view type, std::string_view response_to,
                           base::Timestamp sent, json::Value content) {
  return json::Write({{"type", type},
                      {"message_id", base::NewUuid()},
                      {"response_to", response_to},
                      {"version", 1},
                      {"sent", base::FormatRfc3339(sent)},
                      {"content", std::move(content)}});
}

}  // namespace

json::Value FactsOf(std::string_view client_id) {
  const std::uint64_t hash = HashOf(client_id);
  const auto byte = [&](int i) { return static_cast<unsigned>(hash >> (8 * i) & 0xff); };
  return {{"machine_id", Format("%016lx%016lx", hash, hash * 0x9e3779b97f4a7c15ULL)},
          {"fqdn", std::string(client_id) + ".sites.example"},
          {"ip_addresses", json::Value::array({Format("10.%u.%u.%u", byte(0), byte(1), byte(2))})},
          {"mac_addresses", json::Value::array({Format("02:00:%02x:%02x:%02x:%02x", byte(0),
                                                       byte(1), byte(2), byte(3))})},
          {"controller",
           {{"model", "HC-200"}, {"firmware", Format("3.%u.%u", byte(4) % 6, byte(5) % 20)}}},
          {"packs", 1 + byte(6) % 4}};
}

json::Value TagsOf(std::string_view client_id) {
  const Site& site = kSites[HashOf(client_id) % kSites.size()];
  return {{"site", site.name}, {"country", site.country}, {"kwp", site.kilowatt_peak}};
}

std::string OnlineMessage(std::string_view client_id, std::string_view session_id,
                          base::Timestamp sent) {
  return ControlMessage(
      "connection-status", "", sent,
      {{"state", "online"},
       {"canonical_facts", FactsOf(client_id)},
       {"dispatchers", {{"echo", json::Value::object()}, {"monitoring", {{"datasets", "pms"}}}}},
       {"tags", TagsOf(client_id)},
       {"client_name", "heliograph-fleet"},
       {"client_version", HELIOGRAPH_VERSION},
       {"session_id", session_id}});
}

std::string OfflineMessage(std::string_view session_id, std::string_view reason,
                           base::Timestamp sent) {
  json::Value content = {{"state", "offline"}, {"session_id", session_id}};
  if (!reason.empty()) content["reason"] = reason;
  return ControlMessage("connection-status", "", sent, std::move(content));
}

std::string EventMessage(std::string_view event, std::string_view response_to,
                         base::Timestamp sent) {
  return ControlMessage("event", response_to, sent, event);
}

std::string DataMessage(std::string_view directive, std::string_view content,
                        base::Timestamp sent) {
  std::string message = R"({"type":"data","message_id":")" + base::NewUuid() +
                        R"(","response_to":"","version":1,"sent":")" + base::FormatRfc3339(sent) +
                        R"(","directive":)";
  message.reserve(message.size() + directive.size() + content.size() + 64);
  json::AppendString(message, directive);
  return message.append(R"(,"metadata":{},"content":)").append(content).append("}");
}

std::string ResultMessage(std::string_view directive, std::string_view action_id,
                          const std::map<std::string, std::string>& metadata,
                          const json::Value& content, base::Timestamp sent) {
  return json::Write({{"type", "data"},
                      {"message_id", base::NewUuid()},
                      {"response_to", action_id},
                      {"version", 1},
                      {"sent", base::FormatRfc3339(sent)},
                      {"directive", directive},
                      {"metadata", metadata},
                      {"content", content}});
}

}  // namespace heliograph::fleet
