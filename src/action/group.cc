#include "action/group.h"

#include <utility>

#include "action/members.h"
#include "base/rfc3339.h"

namespace heliograph::action {
namespace {

// The object up to its last member that every view of a group has.
void AppendMembers(std::string& out, const Group& group) {
  out += R"({"name":)";
  json::AppendString(out, group.name.view());
  out += R"(,"tenant":)";
  if (group.tenant) {
    json::AppendString(out, group.tenant->view());
  } else {
    out += "null";
  }
  out += R"(,"selector":)" + (group.selector ? WriteSelector(*group.selector) : "null");
  out += R"(,"members":)" + (group.selector ? "null" : std::to_string(group.members));
  out += R"(,"created_at":")" + base::FormatRfc3339(group.created_at);
  out += R"(","updated_at":")" + base::FormatRfc3339(group.updated_at) + '"';
}

}  // namespace

std::variant<GroupDefinition, RequestFault> ParseGroup(std::string_view body) {
  const json::Parsed parsed = json::Parse(body);
  if (!parsed) {
    return RequestFault{"", "the body is not acceptable JSON: " + parsed.error().message};
  }
  if (!parsed->is_object()) return RequestFault{"", "the body is not an object"};
  const json::Value* ids = FindAny(*parsed, "client_ids");
  const json::Value* selector = FindAny(*parsed, "selector");
  if (ids == nullptr && selector == nullptr) {
    return RequestFault{"/client_ids", "client_ids and selector are both missing"};
  }
  if (ids != nullptr && selector != nullptr) {
    return RequestFault{"/selector", "only one of client_ids and selector is allowed"};
  }
  GroupDefinition group;
  if (ids != nullptr) {
    if (Fault fault = ReadClientIds(*ids, "/client_ids", kMostMembers, group.client_ids)) {
      return *std::move(fault);
    }
    return group;
  }
  auto read = ReadSelector(*selector, "/selector");
  if (auto* fault = std::get_if<RequestFault>(&read)) return std::move(*fault);
  group.selector = std::get<Selector>(std::move(read));
  return group;
}

void AppendHeading(std::string& out, const Group& group) {
  AppendMembers(out, group);
  out += '}';
}

std::string WriteGroup(const Group& group) {
  std::string out;
  AppendMembers(out, group);
  out += R"(,"client_ids":)";
  if (!group.client_ids) return out + "null}";
  out += '[';
  for (const device::ClientId& id : *group.client_ids) {
    if (out.back() != '[') out += ',';
    json::AppendString(out, id.view());
  }
  return out + "]}";
}

}  // namespace heliograph::action
