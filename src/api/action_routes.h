// POST and GET /v1/actions, /v1/actions/{action_id}, its targets, their results, its cancelling,
// its pauses.
#pragma once

#include "api/auditor.h"
#include "api/guard.h"
#include "api/submitter.h"
#include "dispatch/watched_actions.h"
#include "http/router.h"
#include "postgres/action_queries.h"
#include "postgres/action_store.h"
#include "postgres/rollout_store.h"

namespace heliograph::api {

// Threads: any thread.
class ActionRoutes {
 public:
  ActionRoutes(Submitter& submitter, postgres::ActionStore& store,
               dispatch::WatchedActions& watched, postgres::ActionQueries& queries,
               postgres::RolloutStore& rollouts, Auditor& auditor)
      : submitter_(submitter),
        store_(store),
        watched_(watched),
        queries_(queries),
        rollouts_(rollouts),
        auditor_(auditor) {}

  void AddTo(http::Router& router, const Guard& guard);

 private:
  // `decision`: what the request is about, for the audit.
  http::Response Post(const http::Request& request, const auth::Principal& caller,
                      postgres::Decision& decision);
  http::Response List(const http::Request& request, const auth::Principal& caller);
  http::Response Cancel(const http::Request& request, const auth::Principal& caller,
                        postgres::Decision& decision);
  http::Response Pause(const http::Request& request, const auth::Principal& caller,
                       postgres::Decision& decision);
  http::Response Resume(const http::Request& request, const auth::Principal& caller,
                        postgres::Decision& decision);
  using Pausing = base::Result<std::optional<postgres::Paused>> (postgres::RolloutStore::*)(
      const action::ActionId& id, const postgres::Origin& origin);
  http::Response SetPaused(const http::Request& request, const auth::Principal& caller,
                           postgres::Decision& decision, Pausing pausing);
  http::Response Get(const http::Request& request, const auth::Principal& caller);
  http::Response ListTargets(const http::Request& request, const auth::Principal& caller);
  http::Response GetTarget(const http::Request& request, const auth::Principal& caller);
  http::Response PostResult(const http::Request& request, const auth::Principal& caller);

  Submitter& submitter_;
  postgres::ActionStore& store_;
  dispatch::WatchedActions& watched_;
  postgres::ActionQueries& queries_;
  postgres::RolloutStore& rollouts_;
  Auditor& auditor_;
};

}  // namespace heliograph::api
