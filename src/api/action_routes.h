// POST and GET /v1/actions, /v1/actions/{action_id}, its targets, its cancelling.
#pragma once

#include "api/guard.h"
#include "auth/user_authoriser.h"
#include "dispatch/dispatcher.h"
#include "http/router.h"
#include "postgres/action_queries.h"
#include "postgres/action_store.h"

namespace heliograph::api {

// Threads: any thread.
class ActionRoutes {
 public:
  // `users` null: nobody is asked what a user may.
  ActionRoutes(dispatch::Dispatcher& dispatcher, postgres::ActionStore& store,
               postgres::ActionQueries& queries, auth::UserAuthoriser* users)
      : dispatcher_(dispatcher), store_(store), queries_(queries), users_(users) {}

  void AddTo(http::Router& router, const Guard& guard);

 private:
  http::Response Post(const http::Request& request, const auth::Principal& caller);
  // Of the targets those that the caller may not act on.
  base::Result<std::vector<device::ClientId>> Forbidden(const action::Request& request,
                                                        const auth::Principal& caller);
  http::Response List(const http::Request& request, const auth::Principal& caller);
  http::Response Cancel(const http::Request& request, const auth::Principal& caller);
  http::Response Get(const http::Request& request, const auth::Principal& caller);
  http::Response ListTargets(const http::Request& request, const auth::Principal& caller);
  http::Response GetTarget(const http::Request& request, const auth::Principal& caller);

  dispatch::Dispatcher& dispatcher_;
  postgres::ActionStore& store_;
  postgres::ActionQueries& queries_;
  auth::UserAuthoriser* const users_;
};

}  // namespace heliograph::api
