#include "action/replay.h"

#include <utility>

#include "json/json.h"

namespace heliograph::action {
namespace {

// What the database keeps was parsed by the same rules before.
json::Value ValueOf(const std::string& stored) {
  json::Parsed parsed = json::Parse(stored);
  return parsed ? *std::move(parsed) : json::Value();
}

}  // namespace

std::variant<Request, RequestFault> ParseReplay(std::string_view body, const Action& original,
                                                const device::ClientId& client_id) {
  json::Value root = {{"targets", {{"client_ids", json::Value::array({client_id.str()})}}},
                      {"directive", original.directive.str()},
                      {"payload", ValueOf(original.payload)},
                      {"metadata", ValueOf(original.metadata)},
                      {"if_offline", IfOfflineName(original.if_offline)}};
  if (!body.empty()) {
    const json::Parsed given = json::Parse(body);
    if (!given) {
      return RequestFault{"", "the body is not acceptable JSON: " + given.error().message};
    }
    if (!given->is_object()) return RequestFault{"", "the body is not an object"};
    for (const char* name : {"ttl_s", "deadline", "if_offline"}) {
      const auto member = given->find(name);
      if (member != given->end() && !member->is_null()) root[name] = *member;
    }
  }
  return ParseRequest(json::Write(root));
}

}  // namespace heliograph::action
