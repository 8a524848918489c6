#include "api/webhook_routes.h"

#include <utility>

#include "api/cursor.h"
#include "api/media_type.h"
#include "api/page.h"
#include "api/parameters.h"
#include "api/problems.h"
#include "webhooks/secret.h"

namespace heliograph::api {
namespace {

// What is no name is no webhook's: nullopt.
std::optional<std::string> NameOf(const http::Request& request) {
  const std::string& name = request.path_parameters.find("webhook")->second;
  if (!device::IsClientId(name)) return std::nullopt;  // names have the form of client ids
  return name;
}

http::Response One(int status, const postgres::Webhook& webhook,
                   const base::Secret* made = nullptr) {
  http::Response response;
  response.status = status;
  webhooks::AppendWebhook(response.body, webhook, made);
  return response;
}

http::Response Answer(int status, const postgres::WebhookStore::Found& found,
                      const base::Secret* made = nullptr) {
  if (!found) return FromError(found.error());
  if (!*found) return NotFound("webhook");
  return One(status, **found, made);
}

}  // namespace

void WebhookRoutes::AddTo(http::Router& router, const Guard& guard) {
  const auto add = [&](std::string_view path, auto handler) {
    router.Add("GET", path,
               guard.Protect(auth::Scope::kWebhooksRead,
                             [this, handler](const auto& request, const auto& caller) {
                               return (this->*handler)(request, caller);
                             }));
  };
  const auto add_deed = [&](std::string_view method, std::string_view path, std::string deed,
                            Deed handler) {
    router.Add(method, path,
               parts_.auditor.Protect(
                   guard, auth::Scope::kWebhooksWrite, std::move(deed),
                   [this, handler](const auto& request, const auto& caller, auto& decision) {
                     return (this->*handler)(request, caller, decision);
                   }));
  };
  add("/v1/webhooks", &WebhookRoutes::List);
  add("/v1/webhooks/{webhook}", &WebhookRoutes::Get);
  add_deed("POST", "/v1/webhooks", "create-webhook", &WebhookRoutes::Create);
  add_deed("PATCH", "/v1/webhooks/{webhook}", "update-webhook", &WebhookRoutes::Change);
  add_deed("DELETE", "/v1/webhooks/{webhook}", "delete-webhook", &WebhookRoutes::Delete);
  add_deed("POST", "/v1/webhooks/{webhook}/test", "test-webhook", &WebhookRoutes::Test);
  add_deed("POST", "/v1/webhooks/{webhook}/enable", "enable-webhook", &WebhookRoutes::Enable);
}

http::Response WebhookRoutes::List(const http::Request& request, const auth::Principal& caller) {
  Parameters parameters(request, {"cursor", "limit"});
  const std::int64_t limit = parameters.Limit();
  if (parameters.fault()) return *parameters.fault();
  std::string after;
  if (const auto cursor = request.Query("cursor")) {
    const auto last = ReadCursor(ListKind::kWebhooks, *cursor);
    if (!last) return InvalidCursor();
    after = last->str();
  }
  auto found = parts_.webhooks.List(TenantOf(caller), after, limit + 1);
  if (!found) return FromError(found.error());
  const bool more = std::cmp_greater(found->size(), limit);
  if (more) found->pop_back();
  Page page;
  for (const postgres::Webhook& each : *found) {
    page.Add([&](std::string& out) { webhooks::AppendWebhook(out, each, nullptr); });
  }
  return std::move(page).Finish(
      more ? std::optional(WriteCursor(ListKind::kWebhooks, device::ClientId(found->back().name)))
           : std::nullopt);
}

http::Response WebhookRoutes::Get(const http::Request& request, const auth::Principal& caller) {
  const Parameters parameters(request, {});
  if (parameters.fault()) return *parameters.fault();
  const auto name = NameOf(request);
  if (!name) return NotFound("webhook");
  return Answer(200, parts_.webhooks.Get(TenantOf(caller), *name));
}

http::Response WebhookRoutes::Create(const http::Request& request, const auth::Principal& caller,
                                     postgres::Decision& decision) {
  const Parameters parameters(request, {});
  if (parameters.fault()) return *parameters.fault();
  if (!IsJson(request)) return UnsupportedMediaType();
  auto parsed = webhooks::ParseCreate(request.body, rules_);
  if (const auto* fault = std::get_if<action::RequestFault>(&parsed)) {
    return InvalidBody(fault->field, fault->message);
  }
  auto& wanted = std::get<webhooks::CreateRequest>(parsed);
  decision.webhook = wanted.name;
  base::Secret made;
  if (wanted.secret.empty()) {
    auto fresh = webhooks::MakeSecret();
    if (!fresh) return FromError(fresh.error());
    wanted.secret = made = *std::move(fresh);
  }
  const auto bounds = parts_.events.Look();
  if (!bounds) return FromError(bounds.error());
  const auto created =
      parts_.webhooks.Create({wanted.name, std::move(wanted.definition), std::move(wanted.secret),
                              events::WritePlace(bounds->end), most_},
                             OriginOf(request, caller));
  if (!created) return FromError(created.error());
  if (*created == postgres::WebhookCreation::kNameIsTaken) return NameIsTaken("webhook");
  if (*created == postgres::WebhookCreation::kTooMany) return TooMany("webhooks", most_);
  parts_.courier.Wake();
  http::Response response = Answer(201, parts_.webhooks.Get(TenantOf(caller), wanted.name),
                                   made.empty() ? nullptr : &made);
  if (response.status == 201) {
    response.headers.emplace_back("location", "/v1/webhooks/" + wanted.name);
  }
  return response;
}

http::Response WebhookRoutes::Change(const http::Request& request, const auth::Principal& caller,
                                     postgres::Decision& decision) {
  const Parameters parameters(request, {});
  if (parameters.fault()) return *parameters.fault();
  const auto name = NameOf(request);
  if (!name) return NotFound("webhook");
  decision.webhook = *name;
  if (!IsJson(request)) return UnsupportedMediaType();
  auto parsed = webhooks::ParseChange(request.body, rules_);
  if (const auto* fault = std::get_if<action::RequestFault>(&parsed)) {
    return InvalidBody(fault->field, fault->message);
  }
  auto& wanted = std::get<webhooks::ChangeRequest>(parsed);
  if (wanted.make_secret) {
    auto fresh = webhooks::MakeSecret();
    if (!fresh) return FromError(fresh.error());
    wanted.change.secret = *std::move(fresh);
  }
  const auto changed = parts_.webhooks.Change(*name, wanted.change, OriginOf(request, caller));
  parts_.courier.Wake();
  return Answer(200, changed, wanted.make_secret ? &*wanted.change.secret : nullptr);
}

http::Response WebhookRoutes::Delete(const http::Request& request, const auth::Principal& caller,
                                     postgres::Decision& decision) {
  const Parameters parameters(request, {});
  if (parameters.fault()) return *parameters.fault();
  const auto name = NameOf(request);
  if (!name) return NotFound("webhook");
  decision.webhook = *name;
  const auto deleted = parts_.webhooks.Delete(*name, OriginOf(request, caller));
  if (!deleted) return FromError(deleted.error());
  if (!*deleted) return NotFound("webhook");
  parts_.courier.Wake();
  http::Response response;
  response.status = 204;
  return response;
}

http::Response WebhookRoutes::Test(const http::Request& request, const auth::Principal& caller,
                                   postgres::Decision& decision) {
  const Parameters parameters(request, {});
  if (parameters.fault()) return *parameters.fault();
  const auto name = NameOf(request);
  if (!name) return NotFound("webhook");
  decision.webhook = *name;
  const auto asked = parts_.webhooks.AskForPing(*name, OriginOf(request, caller));
  parts_.courier.Wake();
  return Answer(202, asked);
}

http::Response WebhookRoutes::Enable(const http::Request& request, const auth::Principal& caller,
                                     postgres::Decision& decision) {
  const Parameters parameters(request, {});
  if (parameters.fault()) return *parameters.fault();
  const auto name = NameOf(request);
  if (!name) return NotFound("webhook");
  decision.webhook = *name;
  const auto enabled = parts_.webhooks.Enable(*name, OriginOf(request, caller));
  parts_.courier.Wake();
  return Answer(200, enabled);
}

}  // namespace heliograph::api
