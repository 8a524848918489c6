// A webhook as callers ask for it and see it: the REST object. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "action/fault.h"
#include "base/secret.h"
#include "events/event_filter.h"
#include "http_client/address.h"
#include "postgres/webhook_store.h"

namespace heliograph::webhooks {

// What a URL may be. Its address is looked at here only where the URL names it; that of a name
// counts when it is connected to.
struct UrlRules {
  bool allow_http = false;
  http_client::AddressPolicy addresses = http_client::AddressPolicy();
};

struct CreateRequest {
  std::string name;
  postgres::WebhookDefinition definition;
  base::Secret secret;  // empty: one is to be made
};

struct ChangeRequest {
  postgres::WebhookChange change;
  bool make_secret = false;
};

// Any bytes in, never throws. A field that is not known is a fault: an overlooked one would have
// more events sent than were meant.
std::variant<CreateRequest, action::RequestFault> ParseCreate(std::string_view body,
                                                              const UrlRules& rules);
// null: as if the field had never been given; of the secret: another is to be made.
std::variant<ChangeRequest, action::RequestFault> ParseChange(std::string_view body,
                                                              const UrlRules& rules);

// nullopt: the URL may be called; else why not.
std::optional<std::string> UrlFault(std::string_view url, const UrlRules& rules);

// Which events `definition` wants, of those that the tenant sees.
events::EventFilter FilterOf(const postgres::WebhookDefinition& definition,
                             const std::optional<device::TenantId>& tenant);

// `made`: a secret that is shown this once; nullptr = none is.
void AppendWebhook(std::string& out, const postgres::Webhook& webhook, const base::Secret* made);

}  // namespace heliograph::webhooks
