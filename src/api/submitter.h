// Hands a request for an action to the dispatcher and answers as POST /v1/actions does.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "action/request.h"
#include "api/permissions.h"
#include "dispatch/dispatcher.h"
#include "http/message.h"
#include "postgres/audit.h"
#include "postgres/set_store.h"

namespace heliograph::api {

// Threads: any thread.
class Submitter {
 public:
  Submitter(dispatch::Dispatcher& dispatcher, postgres::SetStore& sets,
            const Permissions& permissions)
      : dispatcher_(dispatcher), sets_(sets), permissions_(permissions) {}

  // `replay_of`: the action of whose dead letters the targets are. `decision`: is told what the
  // request is about.
  http::Response Submit(postgres::RequestKey key, const postgres::Origin& origin,
                        action::Request request, std::optional<action::ActionId> replay_of,
                        postgres::Decision& decision);

  // A dry run: tells what the request would act on.
  http::Response Try(const postgres::Origin& origin, action::Request request,
                     postgres::Decision& decision);

 private:
  using Outcome = std::variant<dispatch::Answer, postgres::SetRefusal>;
  base::Result<Outcome> Dispatch(dispatch::Submission& submission);
  // Uses the submission while it is called.
  postgres::Judge JudgeFor(const dispatch::Submission& submission) const;

  dispatch::Dispatcher& dispatcher_;
  postgres::SetStore& sets_;
  const Permissions& permissions_;
};

// 202 with the action, and where it is.
http::Response Accepted(const action::ActionId& id, std::string body);

}  // namespace heliograph::api
