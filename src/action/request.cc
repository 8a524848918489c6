#include "action/request.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <utility>

#include "base/rfc3339.h"
#include "json/json.h"

namespace heliograph::action {
namespace {

using Fault = std::optional<RequestFault>;

const json::Value* Find(const json::Value& object, const char* name) {
  const auto member = object.find(name);
  return member == object.end() ? nullptr : &*member;
}

// The list of client ids at `field`, sorted.
Fault ReadClientIds(const json::Value& list, const std::string& field,
                    std::vector<device::ClientId>& ids) {
  if (list.size() > kMostTargets) {
    return RequestFault{field, std::to_string(list.size()) + " client ids; at most " +
                                   std::to_string(kMostTargets) + " are allowed"};
  }
  ids.reserve(list.size());
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string level = field + '/' + std::to_string(i);
    if (!list[i].is_string()) return RequestFault{level, "the client id is not a string"};
    auto id = device::ParseClientId(list[i].get_ref<const std::string&>());
    if (!id) return RequestFault{level, id.error().message};
    ids.push_back(*std::move(id));
  }
  std::sort(ids.begin(), ids.end());
  const auto twice = std::adjacent_find(ids.begin(), ids.end());
  if (twice != ids.end()) {
    return RequestFault{field, "the client id '" + twice->str() + "' stands twice"};
  }
  return std::nullopt;
}

Fault ReadExclude(const json::Value& targets, std::vector<device::ClientId>& ids) {
  const json::Value* exclude = Find(targets, "exclude");
  if (exclude == nullptr || exclude->is_null()) return std::nullopt;
  if (!exclude->is_array()) {
    return RequestFault{"/targets/exclude", "what to exclude is not an array of client ids"};
  }
  return ReadClientIds(*exclude, "/targets/exclude", ids);
}

Fault ReadTargets(const json::Value& root, Request& request) {
  const json::Value* targets = Find(root, "targets");
  if (targets == nullptr || !targets->is_object()) {
    return RequestFault{"/targets", "the targets are missing or not an object"};
  }
  const json::Value* ids = Find(*targets, "client_ids");
  if (ids == nullptr || !ids->is_array()) {
    return RequestFault{"/targets/client_ids", "the client ids are missing or not an array"};
  }
  std::vector<device::ClientId> named;
  if (Fault fault = ReadClientIds(*ids, "/targets/client_ids", named)) return fault;
  std::vector<device::ClientId> excluded;
  if (Fault fault = ReadExclude(*targets, excluded)) return fault;
  std::set_difference(named.begin(), named.end(), excluded.begin(), excluded.end(),
                      std::back_inserter(request.client_ids));
  if (request.client_ids.empty()) {
    return RequestFault{"/targets/client_ids", "no client id is left to send the action to"};
  }
  return std::nullopt;
}

Fault ReadTtl(const json::Value& ttl, Request& request) {
  constexpr std::int64_t kMost = std::chrono::seconds(kLongestLife).count();
  // JSON knows one kind of number: 60.0 is 60.
  const bool whole = ttl.is_number() && ttl.get<double>() == std::trunc(ttl.get<double>());
  if (!whole || ttl < 1 || ttl > kMost) {
    return RequestFault{"/ttl_s", "the time to live is no whole number of seconds from 1 to " +
                                      std::to_string(kMost)};
  }
  request.ttl = std::chrono::seconds(ttl.get<std::int64_t>());
  return std::nullopt;
}

Fault ReadTimeLimit(const json::Value& root, Request& request) {
  const json::Value* ttl = Find(root, "ttl_s");
  if (ttl != nullptr && !ttl->is_null()) {
    if (Fault fault = ReadTtl(*ttl, request)) return fault;
  }
  const json::Value* deadline = Find(root, "deadline");
  if (deadline == nullptr || deadline->is_null()) return std::nullopt;
  if (request.ttl) return RequestFault{"/deadline", "both ttl_s and deadline are given"};
  if (!deadline->is_string()) return RequestFault{"/deadline", "the deadline is not a string"};
  auto time = base::ParseRfc3339(deadline->get_ref<const std::string&>());
  if (!time) return RequestFault{"/deadline", "the deadline " + time.error().message};
  request.deadline = *time;
  return std::nullopt;
}

Fault ReadDirective(const json::Value& root, Request& request) {
  const json::Value* directive = Find(root, "directive");
  if (directive == nullptr || !directive->is_string()) {
    return RequestFault{"/directive", "the directive is missing or not a string"};
  }
  auto parsed = ParseDirective(directive->get_ref<const std::string&>());
  if (!parsed) return RequestFault{"/directive", parsed.error().message};
  request.directive = *std::move(parsed);
  return std::nullopt;
}

Fault ReadIfOffline(const json::Value& root, Request& request) {
  const json::Value* choice = Find(root, "if_offline");
  if (choice == nullptr || choice->is_null()) return std::nullopt;
  const auto parsed = choice->is_string() ? ParseIfOffline(choice->get_ref<const std::string&>())
                                          : std::optional<IfOffline>();
  if (!parsed) return RequestFault{"/if_offline", "if_offline is neither \"fail\" nor \"queue\""};
  request.if_offline = *parsed;
  return std::nullopt;
}

// The name as a level of a JSON pointer.
std::string PointerLevel(std::string_view name) {
  std::string level;
  for (const char c : name.substr(0, kLongestMetadataName)) {
    if (c == '~')
      level += "~0";
    else if (c == '/')
      level += "~1";
    else
      level += c;
  }
  return level;
}

Fault ReadMetadatum(const std::string& name, const json::Value& value, Request& request) {
  const std::string field = "/metadata/" + PointerLevel(name);
  if (name.empty() || name.size() > kLongestMetadataName) {
    return RequestFault{field, "a metadata name has 1 to 128 bytes"};
  }
  if (name.starts_with(kReservedPrefix)) {
    return RequestFault{field, "metadata names that begin with 'heliograph.' are reserved"};
  }
  if (!value.is_string()) return RequestFault{field, "a metadata value is a string"};
  const std::string& text = value.get_ref<const std::string&>();
  if (text.size() > kLongestMetadataValue) {
    return RequestFault{field, "a metadata value has at most 4096 bytes"};
  }
  request.metadata.emplace(name, text);
  return std::nullopt;
}

Fault ReadMetadata(const json::Value& root, Request& request) {
  const json::Value* metadata = Find(root, "metadata");
  if (metadata == nullptr || metadata->is_null()) return std::nullopt;
  if (!metadata->is_object()) {
    return RequestFault{"/metadata", "the metadata is neither null nor an object of strings"};
  }
  if (metadata->size() > kMostMetadata) {
    return RequestFault{"/metadata", "the metadata has more than 64 names"};
  }
  for (const auto& [name, value] : metadata->items()) {
    if (Fault fault = ReadMetadatum(name, value, request)) return fault;
  }
  return std::nullopt;
}

}  // namespace

std::variant<Request, RequestFault> ParseRequest(std::string_view body) {
  const json::Parsed parsed = json::Parse(body);
  if (!parsed)
    return RequestFault{"", "the body is not acceptable JSON: " + parsed.error().message};
  const json::Value& root = *parsed;
  if (!root.is_object()) return RequestFault{"", "the body is not an object"};
  Request request;
  if (Fault fault = ReadTargets(root, request)) return *std::move(fault);
  if (Fault fault = ReadDirective(root, request)) return *std::move(fault);
  const json::Value* payload = Find(root, "payload");
  if (payload == nullptr)
    return RequestFault{"/payload", "the payload is missing; null is allowed"};
  request.payload = json::Write(*payload);
  if (Fault fault = ReadMetadata(root, request)) return *std::move(fault);
  if (Fault fault = ReadTimeLimit(root, request)) return *std::move(fault);
  if (Fault fault = ReadIfOffline(root, request)) return *std::move(fault);
  request.canonical = json::Write(root);
  return request;
}

}  // namespace heliograph::action
