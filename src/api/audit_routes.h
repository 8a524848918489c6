// GET /v1/audit.
#pragma once

#include "api/guard.h"
#include "http/router.h"
#include "postgres/audit.h"

namespace heliograph::api {

// For operators only. Threads: any thread.
class AuditRoutes {
 public:
  explicit AuditRoutes(postgres::Audit& audit) : audit_(audit) {}

  void AddTo(http::Router& router, const Guard& guard);

 private:
  http::Response List(const http::Request& request, const auth::Principal& caller);

  postgres::Audit& audit_;
};

}  // namespace heliograph::api
