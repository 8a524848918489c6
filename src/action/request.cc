#include "action/request.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <utility>

#include "action/members.h"
#include "base/rfc3339.h"
#include "json/json.h"

namespace heliograph::action {
namespace {

// Exactly one of the three says for whom.
Fault ReadChoice(const json::Value& targets, Request& request) {
  const json::Value* ids = FindAny(targets, "client_ids");
  const json::Value* group = FindAny(targets, "group");
  const json::Value* selector = FindAny(targets, "selector");
  if (ids == nullptr && group == nullptr && selector == nullptr) {
    return RequestFault{"/targets/client_ids", "client_ids, group and selector are all missing"};
  }
  if (selector != nullptr && (ids != nullptr || group != nullptr)) {
    return RequestFault{"/targets/selector", "only one of client_ids, group, selector is allowed"};
  }
  if (group != nullptr && ids != nullptr) {
    return RequestFault{"/targets/group", "only one of client_ids, group, selector is allowed"};
  }
  if (ids != nullptr) {
    return ReadClientIds(*ids, "/targets/client_ids", kMostTargets, request.client_ids);
  }
  if (selector != nullptr) {
    auto read = ReadSelector(*selector, "/targets/selector");
    if (auto* fault = std::get_if<RequestFault>(&read)) return std::move(*fault);
    request.selector = std::get<Selector>(std::move(read));
    return std::nullopt;
  }
  if (!group->is_string()) return RequestFault{"/targets/group", "the group is not a string"};
  auto name = ParseGroupName(group->get_ref<const std::string&>());
  if (!name) return RequestFault{"/targets/group", name.error().message};
  request.group = *std::move(name);
  return std::nullopt;
}

Fault ReadTargets(const json::Value& root, Request& request) {
  const json::Value* targets = Find(root, "targets");
  if (targets == nullptr || !targets->is_object()) {
    return RequestFault{"/targets", "the targets are missing or not an object"};
  }
  if (Fault fault = ReadChoice(*targets, request)) return fault;
  if (const json::Value* exclude = Find(*targets, "exclude")) {
    if (Fault fault = ReadClientIds(*exclude, "/targets/exclude", kMostTargets, request.exclude)) {
      return fault;
    }
  }
  if (request.group || request.selector) return std::nullopt;
  std::vector<device::ClientId> named = std::exchange(request.client_ids, {});
  std::vector<device::ClientId> excluded = std::exchange(request.exclude, {});
  std::set_difference(named.begin(), named.end(), excluded.begin(), excluded.end(),
                      std::back_inserter(request.client_ids));
  std::set_intersection(named.begin(), named.end(), excluded.begin(), excluded.end(),
                        std::back_inserter(request.exclude));
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
  if (ttl != nullptr) {
    if (Fault fault = ReadTtl(*ttl, request)) return fault;
  }
  const json::Value* deadline = Find(root, "deadline");
  if (deadline == nullptr) return std::nullopt;
  if (request.ttl) return RequestFault{"/deadline", "both ttl_s and deadline are given"};
  if (!deadline->is_string()) return RequestFault{"/deadline", "the deadline is not a string"};
  auto time = base::ParseRfc3339(deadline->get_ref<const std::string&>());
  if (!time) return RequestFault{"/deadline", "the deadline " + time.error().message};
  request.deadline = *time;
  return std::nullopt;
}

// Against a time to live somebody who knows the time looks.
Fault ReadStart(const json::Value& root, Request& request) {
  if (Fault fault = ReadRollout(root, request.rollout)) return fault;
  const auto& start = request.rollout.not_before;
  if (start && request.deadline && *start >= *request.deadline) {
    return RequestFault{"/not_before", "the start is not before the deadline"};
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

Fault ReadIfOffline(const json::Value& root, Request& request) {
  const json::Value* choice = Find(root, "if_offline");
  if (choice == nullptr) return std::nullopt;
  const auto parsed = choice->is_string() ? ParseIfOffline(choice->get_ref<const std::string&>())
                                          : std::optional<IfOffline>();
  if (!parsed) return RequestFault{"/if_offline", "if_offline is neither \"fail\" nor \"queue\""};
  request.if_offline = *parsed;
  return std::nullopt;
}

Fault ReadDryRun(const json::Value& root, Request& request) {
  if (const json::Value* dry_run = Find(root, "dry_run")) {
    if (!dry_run->is_boolean()) return RequestFault{"/dry_run", "dry_run is not true or false"};
    request.dry_run = dry_run->get<bool>();
  }
  const json::Value* id = Find(root, "dry_run_id");
  if (id == nullptr) return std::nullopt;
  if (request.dry_run) {
    return RequestFault{"/dry_run_id", "a dry run names no other dry run"};
  }
  // A UUID as an action's.
  auto parsed = id->is_string() ? ParseActionId(id->get_ref<const std::string&>())
                                : base::Result<ActionId>(ActionId());
  if (!parsed || parsed->empty()) return RequestFault{"/dry_run_id", "the id is not a UUID"};
  request.dry_run_id = (*std::move(parsed)).str();
  return std::nullopt;
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
  if (metadata == nullptr) return std::nullopt;
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
  json::Parsed parsed = json::Parse(body);
  if (!parsed)
    return RequestFault{"", "the body is not acceptable JSON: " + parsed.error().message};
  json::Value& root = *parsed;
  if (!root.is_object()) return RequestFault{"", "the body is not an object"};
  Request request;
  if (Fault fault = ReadTargets(root, request)) return *std::move(fault);
  if (Fault fault = ReadDirective(root, request)) return *std::move(fault);
  const json::Value* payload = FindAny(root, "payload");
  if (payload == nullptr)
    return RequestFault{"/payload", "the payload is missing; null is allowed"};
  request.payload = json::Write(*payload);
  if (Fault fault = ReadMetadata(root, request)) return *std::move(fault);
  if (Fault fault = ReadTimeLimit(root, request)) return *std::move(fault);
  if (Fault fault = ReadStart(root, request)) return *std::move(fault);
  if (Fault fault = ReadIfOffline(root, request)) return *std::move(fault);
  if (Fault fault = ReadDryRun(root, request)) return *std::move(fault);
  request.canonical = json::Write(root);
  root.erase("dry_run");
  root.erase("dry_run_id");
  request.meaning = json::Write(root);
  return request;
}

}  // namespace heliograph::action
