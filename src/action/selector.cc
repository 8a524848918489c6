#include "action/selector.h"

#include <utility>

#include "action/members.h"

namespace heliograph::action {
namespace {

// PostgreSQL keeps no NUL.
bool IsText(const json::Value& value, std::size_t least) {
  if (!value.is_string()) return false;
  const std::string& text = value.get_ref<const std::string&>();
  return text.size() >= least && text.size() <= kLongestSelectorText &&
         text.find('\0') == std::string::npos;
}

Fault ReadText(const json::Value& value, const std::string& field,
               std::optional<std::string>& text) {
  if (!IsText(value, 1)) {
    return RequestFault{field, "it is no text of 1 to 256 bytes without U+0000"};
  }
  text = value.get<std::string>();
  return std::nullopt;
}

Fault ReadState(const json::Value& value, const std::string& field, Selector& selector) {
  using enum device::ConnectionState;
  for (const auto state : {kOnline, kOffline, kUnknown}) {
    if (value == device::ConnectionStateName(state)) selector.state = state;
  }
  if (!selector.state) return RequestFault{field, "it is not one of online, offline, unknown"};
  return std::nullopt;
}

Fault ReadTenant(const json::Value& value, const std::string& field, Selector& selector) {
  if (!value.is_string()) return RequestFault{field, "the tenant is not a string"};
  auto tenant = device::ParseTenantId(value.get_ref<const std::string&>());
  if (!tenant) return RequestFault{field, tenant.error().message};
  selector.tenant = *std::move(tenant);
  return std::nullopt;
}

Fault ReadPrefix(const json::Value& value, const std::string& field, Selector& selector) {
  if (!value.is_string() || !device::IsClientId(value.get_ref<const std::string&>())) {
    return RequestFault{field, "it is not 1 to 128 bytes of A-Z a-z 0-9 . _ : -"};
  }
  selector.client_id_prefix = value.get<std::string>();
  return std::nullopt;
}

Fault ReadTags(const json::Value& value, const std::string& field, Selector& selector) {
  if (!value.is_object() || value.size() > kMostSelectorTags) {
    return RequestFault{field, "the tags are no object of at most 8 strings"};
  }
  for (const auto& [name, text] : value.items()) {
    if (!IsText(name, 1) || !IsText(text, 0)) {
      return RequestFault{field,
                          "a tag has a name of 1 to 256 bytes and a text of at most 256, without "
                          "U+0000"};
    }
    selector.tags.emplace(name, text.get<std::string>());
  }
  return std::nullopt;
}

Fault ReadCondition(const std::string& name, const json::Value& value, const std::string& field,
                    Selector& selector) {
  if (name == "state") return ReadState(value, field, selector);
  if (name == "tenant") return ReadTenant(value, field, selector);
  if (name == "client_id_prefix") return ReadPrefix(value, field, selector);
  if (name == "tags") return ReadTags(value, field, selector);
  if (name == "dispatcher") return ReadText(value, field, selector.dispatcher);
  if (name == "client_version") return ReadText(value, field, selector.client_version);
  return RequestFault{field,
                      "it is not one of state, tenant, client_id_prefix, tags, dispatcher, "
                      "client_version"};
}

}  // namespace

base::Result<GroupName> ParseGroupName(std::string_view text) {
  if (!device::IsClientId(text)) {
    return base::MakeError(base::ErrorCode::kInvalidArgument,
                           "a group's name is 1 to 128 bytes of A-Z a-z 0-9 . _ : -");
  }
  return GroupName(text);
}

std::variant<Selector, RequestFault> ReadSelector(const json::Value& value,
                                                  const std::string& field) {
  if (!value.is_object()) return RequestFault{field, "the selector is not an object"};
  Selector selector;
  for (const auto& [name, condition] : value.items()) {
    if (Fault fault = ReadCondition(name, condition, field + '/' + PointerLevel(name), selector)) {
      return *std::move(fault);
    }
  }
  return selector;
}

std::string WriteSelector(const Selector& selector) {
  json::Value value = json::Value::object();
  if (selector.state) value["state"] = device::ConnectionStateName(*selector.state);
  if (selector.tenant) value["tenant"] = selector.tenant->str();
  if (!selector.client_id_prefix.empty()) value["client_id_prefix"] = selector.client_id_prefix;
  if (!selector.tags.empty()) value["tags"] = selector.tags;
  if (selector.dispatcher) value["dispatcher"] = *selector.dispatcher;
  if (selector.client_version) value["client_version"] = *selector.client_version;
  return json::Write(value);
}

base::Result<Selector> ParseSelector(std::string_view text) {
  const json::Parsed parsed = json::Parse(text);
  if (!parsed) {
    return base::MakeError(base::ErrorCode::kInvalidArgument, "the selector is not JSON");
  }
  auto read = ReadSelector(*parsed, "");
  if (const auto* fault = std::get_if<RequestFault>(&read)) {
    return base::MakeError(base::ErrorCode::kInvalidArgument, fault->field + ": " + fault->message);
  }
  return std::get<Selector>(std::move(read));
}

}  // namespace heliograph::action
