// GET /v1/dead-letters, /v1/dead-letters/{dead_letter_id}, its replay, its discard.
#pragma once

#include "api/auditor.h"
#include "api/guard.h"
#include "api/submitter.h"
#include "http/router.h"
#include "postgres/action_store.h"
#include "postgres/dead_letter_store.h"

namespace heliograph::api {

// Threads: any thread.
class DeadLetterRoutes {
 public:
  DeadLetterRoutes(postgres::DeadLetterStore& letters, postgres::ActionStore& actions,
                   Submitter& submitter, Auditor& auditor)
      : letters_(letters), actions_(actions), submitter_(submitter), auditor_(auditor) {}

  void AddTo(http::Router& router, const Guard& guard);

 private:
  http::Response List(const http::Request& request, const auth::Principal& caller);
  http::Response Get(const http::Request& request, const auth::Principal& caller);
  // `decision`: what the request is about, for the audit.
  http::Response Replay(const http::Request& request, const auth::Principal& caller,
                        postgres::Decision& decision);
  http::Response Discard(const http::Request& request, const auth::Principal& caller,
                         postgres::Decision& decision);

  postgres::DeadLetterStore& letters_;
  postgres::ActionStore& actions_;
  Submitter& submitter_;
  Auditor& auditor_;
};

}  // namespace heliograph::api
