// GET /v1/groups; PUT, GET and DELETE /v1/groups/{name}; its members.
#pragma once

#include "api/guard.h"
#include "http/router.h"
#include "postgres/group_store.h"

namespace heliograph::api {

// A caller sees the groups of his tenant, an operator those of the operators. Threads: any thread.
class GroupRoutes {
 public:
  explicit GroupRoutes(postgres::GroupStore& groups) : groups_(groups) {}

  void AddTo(http::Router& router, const Guard& guard);

 private:
  http::Response List(const http::Request& request, const auth::Principal& caller);
  http::Response Put(const http::Request& request, const auth::Principal& caller);
  http::Response Get(const http::Request& request, const auth::Principal& caller);
  http::Response Delete(const http::Request& request, const auth::Principal& caller);
  http::Response ListMembers(const http::Request& request, const auth::Principal& caller);

  postgres::GroupStore& groups_;
};

}  // namespace heliograph::api
