#include "webhooks/definition.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/rfc3339.h"
#include "device/ids.h"
#include "http_client/url.h"
#include "json/json.h"
#include "webhooks/secret.h"

namespace heliograph::webhooks {
namespace {

using action::RequestFault;
using Fault = std::optional<RequestFault>;

constexpr std::size_t kLongestUrl = 2048;
constexpr std::size_t kLongestPointer = 64;

// All fields of both bodies: what is nullopt was not given.
struct Fields {
  std::optional<std::string> name;
  postgres::WebhookChange change;
  bool null_secret = false;
};

std::vector<std::string_view> Split(std::string_view types) {
  std::vector<std::string_view> names;
  while (!types.empty()) {
    const std::size_t comma = std::min(types.find(','), types.size());
    names.push_back(types.substr(0, comma));
    types.remove_prefix(std::min(comma + 1, types.size()));
  }
  return names;
}

std::string Pointer(std::string_view name) {
  return "/" + std::string(name.substr(0, kLongestPointer));
}

Fault ReadUrl(const json::Value& value, const UrlRules& rules, Fields& fields) {
  if (!value.is_string()) return RequestFault{"/url", "the URL is not a string"};
  const std::string& url = value.get_ref<const std::string&>();
  if (auto fault = UrlFault(url, rules)) return RequestFault{"/url", *std::move(fault)};
  fields.change.url = url;
  return std::nullopt;
}

Fault ReadTypes(const json::Value& value, Fields& fields) {
  if (value.is_null()) {
    fields.change.types = "";
    return std::nullopt;
  }
  if (!value.is_array() || value.empty()) {
    return RequestFault{"/types", "the types are not a list of one or more"};
  }
  std::set<std::string> types;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const std::string field = "/types/" + std::to_string(i);
    const json::Value& each = value[i];
    if (!each.is_string() || !events::ParseEventType(each.get_ref<const std::string&>())) {
      return RequestFault{field, "it is not the type of an event"};
    }
    if (!types.insert(each.get<std::string>()).second) {
      return RequestFault{field, "it stands more than once"};
    }
  }
  std::string all;
  for (const std::string& type : types) all += (all.empty() ? "" : ",") + type;
  fields.change.types = all;
  return std::nullopt;
}

Fault ReadPrefix(const json::Value& value, Fields& fields) {
  if (!value.is_null() &&
      (!value.is_string() || !device::IsClientId(value.get_ref<const std::string&>()))) {
    return RequestFault{"/client_id_prefix", "it is not 1 to 128 bytes of A-Z a-z 0-9 . _ : -"};
  }
  fields.change.client_id_prefix = value.is_null() ? "" : value.get<std::string>();
  return std::nullopt;
}

Fault ReadActionId(const json::Value& value, Fields& fields) {
  if (value.is_null()) {
    fields.change.action_id = std::optional<action::ActionId>();
    return std::nullopt;
  }
  auto id = value.is_string() ? action::ParseActionId(value.get_ref<const std::string&>())
                              : action::ParseActionId("");
  if (!id) return RequestFault{"/action_id", "it is not a UUID"};
  fields.change.action_id = *std::move(id);
  return std::nullopt;
}

Fault ReadSecret(const json::Value& value, Fields& fields) {
  if (value.is_null()) {
    fields.null_secret = true;
    return std::nullopt;
  }
  if (!value.is_string() || !IsSecret(value.get_ref<const std::string&>())) {
    return RequestFault{"/secret", "it is not whsec_ and the base64 of 24 to 64 bytes"};
  }
  fields.change.secret = base::Secret(value.get<std::string>());
  return std::nullopt;
}

Fault ReadField(const std::string& name, const json::Value& value, const UrlRules& rules,
                bool with_name, Fields& fields) {
  if (name == "url") return ReadUrl(value, rules, fields);
  if (name == "types") return ReadTypes(value, fields);
  if (name == "client_id_prefix") return ReadPrefix(value, fields);
  if (name == "action_id") return ReadActionId(value, fields);
  if (name == "secret") return ReadSecret(value, fields);
  if (name != "name" || !with_name) return RequestFault{Pointer(name), "it is not known here"};
  if (!value.is_string() || !device::IsClientId(value.get_ref<const std::string&>())) {
    return RequestFault{"/name", "a name is 1 to 128 bytes of A-Z a-z 0-9 . _ : -"};
  }
  fields.name = value.get<std::string>();
  return std::nullopt;
}

Fault ReadFields(std::string_view body, const UrlRules& rules, bool with_name, Fields& fields) {
  const json::Parsed parsed = json::Parse(body);
  if (!parsed) {
    return RequestFault{"", "the body is not acceptable JSON: " + parsed.error().message};
  }
  if (!parsed->is_object()) return RequestFault{"", "the body is not an object"};
  for (const auto& [name, value] : parsed->items()) {
    if (Fault fault = ReadField(name, value, rules, with_name, fields)) return fault;
  }
  return std::nullopt;
}

void AppendName(std::string& out, std::string_view name) {
  out.append(out.back() == '{' ? "\"" : ",\"").append(name).append("\":");
}

void AppendText(std::string& out, std::string_view name, std::string_view text) {
  AppendName(out, name);
  if (text.empty()) {
    out += "null";
  } else {
    json::AppendString(out, text);
  }
}

void AppendTime(std::string& out, std::string_view name,
                const std::optional<base::Timestamp>& time) {
  AppendText(out, name, time ? base::FormatRfc3339(*time) : "");
}

void AppendNumber(std::string& out, std::string_view name,
                  const std::optional<std::int64_t>& number) {
  AppendName(out, name);
  out += number ? std::to_string(*number) : "null";
}

void AppendTypes(std::string& out, std::string_view types) {
  AppendName(out, "types");
  if (types.empty()) {
    out += "null";
    return;
  }
  out += '[';
  for (const std::string_view type : Split(types)) {
    if (out.back() != '[') out += ',';
    json::AppendString(out, type);
  }
  out += ']';
}

}  // namespace

std::optional<std::string> UrlFault(std::string_view url, const UrlRules& rules) {
  if (url.size() > kLongestUrl) return "it has more than 2048 bytes";
  const auto parts = http_client::ParseUrl(url);
  if (!parts) return parts.error().message;
  if (parts->scheme != "https" && !rules.allow_http) return "it does not begin with https://";
  const auto address = http_client::Address::Parse(parts->host);
  if (address && !rules.addresses.Allows(*address)) {
    return "its address is not one of the public Internet, and not allowed besides";
  }
  return std::nullopt;
}

std::variant<CreateRequest, RequestFault> ParseCreate(std::string_view body,
                                                      const UrlRules& rules) {
  Fields fields;
  if (Fault fault = ReadFields(body, rules, true, fields)) return *std::move(fault);
  if (!fields.name) return RequestFault{"/name", "the name is missing"};
  if (!fields.change.url) return RequestFault{"/url", "the URL is missing"};
  CreateRequest request;
  request.name = *std::move(fields.name);
  request.definition = {*std::move(fields.change.url), fields.change.types.value_or(""),
                        fields.change.client_id_prefix.value_or(""),
                        fields.change.action_id.value_or(std::nullopt)};
  request.secret = fields.change.secret.value_or(base::Secret());
  return request;
}

std::variant<ChangeRequest, RequestFault> ParseChange(std::string_view body,
                                                      const UrlRules& rules) {
  Fields fields;
  if (Fault fault = ReadFields(body, rules, false, fields)) return *std::move(fault);
  return ChangeRequest{std::move(fields.change), fields.null_secret};
}

events::EventFilter FilterOf(const postgres::WebhookDefinition& definition,
                             const std::optional<device::TenantId>& tenant) {
  events::EventFilter filter;
  filter.sight = tenant;
  for (const std::string_view name : Split(definition.types)) {
    if (const auto type = events::ParseEventType(name)) filter.types.insert(*type);
  }
  filter.client_id_prefix = definition.client_id_prefix;
  filter.action_id = definition.action_id;
  return filter;
}

void AppendWebhook(std::string& out, const postgres::Webhook& webhook, const base::Secret* made) {
  out += '{';
  AppendText(out, "name", webhook.name);
  AppendText(out, "tenant", webhook.tenant ? webhook.tenant->view() : "");
  AppendText(out, "url", webhook.definition.url);
  AppendTypes(out, webhook.definition.types);
  AppendText(out, "client_id_prefix", webhook.definition.client_id_prefix);
  AppendText(out, "action_id",
             webhook.definition.action_id ? webhook.definition.action_id->view() : "");
  if (made != nullptr) AppendText(out, "secret", made->Reveal());
  AppendTime(out, "created_at", webhook.created_at);
  AppendTime(out, "updated_at", webhook.updated_at);
  AppendText(out, "state", webhook.active ? "active" : "disabled");
  AppendTime(out, "disabled_at", webhook.disabled_at);
  AppendText(out, "disabled_reason", webhook.disabled_reason);
  AppendNumber(out, "delivered", webhook.delivered);
  AppendNumber(out, "behind_s", webhook.behind_s);
  AppendTime(out, "last_success_at", webhook.last_success_at);
  AppendTime(out, "last_failure_at", webhook.last_failure_at);
  AppendText(out, "last_failure", webhook.last_failure);
  AppendNumber(out, "last_status", webhook.last_status);
  AppendNumber(out, "failures", webhook.failures);
  AppendTime(out, "failing_since", webhook.failing_since);
  AppendTime(out, "next_try_at", webhook.retry_at);
  AppendTime(out, "test_asked_at", webhook.ping_asked_at);
  AppendTime(out, "test_ended_at", webhook.ping_ended_at);
  AppendText(out, "test_outcome", webhook.ping_outcome);
  out += '}';
}

}  // namespace heliograph::webhooks
