// GET /v1/connections, /v1/connections/{client_id} and its intervals.
#pragma once

#include "api/guard.h"
#include "http/router.h"
#include "postgres/connection_queries.h"

namespace heliograph::api {

// Threads: any thread.
class ConnectionRoutes {
 public:
  explicit ConnectionRoutes(postgres::ConnectionQueries& queries) : queries_(queries) {}

  void AddTo(http::Router& router, const Guard& guard);

 private:
  http::Response List(const http::Request& request, const auth::Principal& caller);
  http::Response Get(const http::Request& request, const auth::Principal& caller);
  http::Response ListIntervals(const http::Request& request, const auth::Principal& caller);

  postgres::ConnectionQueries& queries_;
};

}  // namespace heliograph::api
