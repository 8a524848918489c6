#include "ctl/webhooks.h"

#include <utility>

#include "ctl/fields.h"
#include "ctl/secret_file.h"

namespace heliograph::ctl {
namespace {

using base::Result;

void WriteWebhook(const json::Value& webhook, const Console& console) {
  if (console.json) {
    console.out << json::WriteIndented(webhook) << '\n';
    return;
  }
  for (const char* name : {"name",          "tenant",           "url",
                           "types",         "client_id_prefix", "action_id",
                           "created_at",    "updated_at",       "state",
                           "disabled_at",   "disabled_reason",  "delivered",
                           "behind_s",      "last_success_at",  "last_failure_at",
                           "last_failure",  "last_status",      "failures",
                           "failing_since", "next_try_at",      "test_asked_at",
                           "test_ended_at", "test_outcome"}) {
    console.out << name << ": " << Printable(Field(webhook, name)) << '\n';
  }
  // Only where it was made just now.
  if (webhook.contains("secret")) {
    console.out << "secret: " << Printable(Field(webhook, "secret")) << '\n';
  }
}

Result<ExitCode> Written(const Result<json::Value>& webhook, const Console& console) {
  if (!webhook) return webhook.error();
  WriteWebhook(*webhook, console);
  return ExitCode::kOk;
}

}  // namespace

Result<json::Value> WebhookOf(const PutWebhookOptions& options) {
  if (options.new_secret && !options.secret_file.empty()) {
    return base::MakeError(base::ErrorCode::kInvalidArgument,
                           "a secret is made or read from a file, not both");
  }
  json::Value webhook = json::Value::object();
  if (options.all) {
    for (const char* filter : {"types", "client_id_prefix", "action_id"}) webhook[filter] = nullptr;
  }
  if (!options.url.empty()) webhook["url"] = options.url;
  if (!options.types.empty()) webhook["types"] = options.types;
  if (!options.client_id_prefix.empty()) webhook["client_id_prefix"] = options.client_id_prefix;
  if (!options.action_id.empty()) webhook["action_id"] = options.action_id;
  if (options.new_secret) webhook["secret"] = nullptr;
  if (!options.secret_file.empty()) {
    const auto secret = ReadSecretFile(options.secret_file, "secret");
    if (!secret) return secret.error();
    webhook["secret"] = secret->Reveal();
  }
  return webhook;
}

Result<ExitCode> ListWebhooks(const ListWebhooksOptions& options, const Console& console) {
  auto api = Api::Open(options.api);
  if (!api) return std::move(api).error();
  const auto row_of = [](const json::Value& webhook) -> std::vector<std::string> {
    return {Field(webhook, "name"),         Field(webhook, "tenant"),   Field(webhook, "state"),
            Field(webhook, "delivered"),    Field(webhook, "behind_s"), Field(webhook, "failures"),
            Field(webhook, "last_failure"), Field(webhook, "url")};
  };
  return WriteListing(
      *api,
      {{"v1", "webhooks"},
       {},
       {"NAME", "TENANT", "STATE", "DELIVERED", "BEHIND S", "FAILURES", "LAST FAILURE", "URL"},
       row_of},
      options.paging, console);
}

Result<ExitCode> ShowWebhook(const WebhookOptions& options, const Console& console) {
  auto api = Api::Open(options.api);
  if (!api) return std::move(api).error();
  return Written(api->Get({"v1", "webhooks", options.name}), console);
}

Result<ExitCode> CreateWebhook(const PutWebhookOptions& options, const Console& console) {
  auto body = WebhookOf(options);
  if (!body) return std::move(body).error();
  (*body)["name"] = options.webhook.name;
  auto api = Api::Open(options.webhook.api);
  if (!api) return std::move(api).error();
  return Written(api->Post({"v1", "webhooks"}, {}, *body), console);
}

Result<ExitCode> UpdateWebhook(const PutWebhookOptions& options, const Console& console) {
  const auto body = WebhookOf(options);
  if (!body) return body.error();
  auto api = Api::Open(options.webhook.api);
  if (!api) return std::move(api).error();
  return Written(api->Patch({"v1", "webhooks", options.webhook.name}, *body), console);
}

Result<ExitCode> DeleteWebhook(const WebhookOptions& options, const Console&) {
  auto api = Api::Open(options.api);
  if (!api) return std::move(api).error();
  const base::Status deleted = api->Delete({"v1", "webhooks", options.name});
  if (!deleted) return deleted.error();
  return ExitCode::kOk;
}

Result<ExitCode> DoWithWebhook(const WebhookOptions& options, std::string_view deed,
                               const Console& console) {
  auto api = Api::Open(options.api);
  if (!api) return std::move(api).error();
  return Written(api->Post({"v1", "webhooks", options.name, deed}, {}, json::Value()), console);
}

}  // namespace heliograph::ctl
