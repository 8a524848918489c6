#include "action/request.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "json/json.h"

namespace heliograph::action {
namespace {

using Fault = std::optional<RequestFault>;

const json::Value* Find(const json::Value& object, const char* name) {
  const auto member = object.find(name);
  return member == object.end() ? nullptr : &*member;
}

Fault ReadClientId(const json::Value& value, std::size_t index, Request& request) {
  const std::string field = "/targets/client_ids/" + std::to_string(index);
  if (!value.is_string()) return RequestFault{field, "the client id is not a string"};
  auto id = device::ParseClientId(value.get_ref<const std::string&>());
  if (!id) return RequestFault{field, id.error().message};
  request.client_ids.push_back(*std::move(id));
  return std::nullopt;
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
  if (ids->empty() || ids->size() > kMostTargets) {
    return RequestFault{"/targets/client_ids", std::to_string(ids->size()) + " client ids; 1 to " +
                                                   std::to_string(kMostTargets) + " are allowed"};
  }
  request.client_ids.reserve(ids->size());
  for (std::size_t i = 0; i < ids->size(); ++i) {
    if (Fault fault = ReadClientId((*ids)[i], i, request)) return fault;
  }
  std::sort(request.client_ids.begin(), request.client_ids.end());
  const auto twice = std::adjacent_find(request.client_ids.begin(), request.client_ids.end());
  if (twice != request.client_ids.end()) {
    return RequestFault{"/targets/client_ids", "the client id '" + twice->str() + "' stands twice"};
  }
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
  request.canonical = json::Write(root);
  return request;
}

}  // namespace heliograph::action
