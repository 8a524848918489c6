// POST and GET /v1/webhooks; GET, PATCH and DELETE /v1/webhooks/{webhook}; its test and enable.
#pragma once

#include "api/auditor.h"
#include "api/guard.h"
#include "events/event_reader.h"
#include "http/router.h"
#include "postgres/webhook_store.h"
#include "webhooks/courier.h"
#include "webhooks/definition.h"

namespace heliograph::api {

// What the routes work on; all outlive them.
struct WebhookParts {
  postgres::WebhookStore& webhooks;
  events::EventReader& events;
  webhooks::Courier& courier;
  Auditor& auditor;
};

// A caller sees the webhooks of his tenant, an operator those of the operators. Threads: any
// thread.
class WebhookRoutes {
 public:
  // `most`: that a tenant may have.
  WebhookRoutes(WebhookParts parts, webhooks::UrlRules rules, std::int64_t most)
      : parts_(parts), rules_(std::move(rules)), most_(most) {}

  void AddTo(http::Router& router, const Guard& guard);

 private:
  using Deed = http::Response (WebhookRoutes::*)(const http::Request&, const auth::Principal&,
                                                 postgres::Decision&);

  http::Response List(const http::Request& request, const auth::Principal& caller);
  http::Response Get(const http::Request& request, const auth::Principal& caller);
  http::Response Create(const http::Request& request, const auth::Principal& caller,
                        postgres::Decision& decision);
  http::Response Change(const http::Request& request, const auth::Principal& caller,
                        postgres::Decision& decision);
  http::Response Delete(const http::Request& request, const auth::Principal& caller,
                        postgres::Decision& decision);
  http::Response Test(const http::Request& request, const auth::Principal& caller,
                      postgres::Decision& decision);
  http::Response Enable(const http::Request& request, const auth::Principal& caller,
                        postgres::Decision& decision);

  const WebhookParts parts_;
  const webhooks::UrlRules rules_;
  const std::int64_t most_;
};

}  // namespace heliograph::api
