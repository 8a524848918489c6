// Hands a request for an action to the dispatcher and answers as POST /v1/actions does.
#pragma once

#include <optional>
#include <string>

#include "action/request.h"
#include "api/permissions.h"
#include "dispatch/dispatcher.h"
#include "http/message.h"
#include "postgres/audit.h"

namespace heliograph::api {

// Threads: any thread.
class Submitter {
 public:
  Submitter(dispatch::Dispatcher& dispatcher, const Permissions& permissions)
      : dispatcher_(dispatcher), permissions_(permissions) {}

  // `replay_of`: the action of whose dead letters the targets are. `decision`: is told what the
  // request is about.
  http::Response Submit(postgres::RequestKey key, const postgres::Origin& origin,
                        action::Request request, std::optional<action::ActionId> replay_of,
                        postgres::Decision& decision);

 private:
  dispatch::Dispatcher& dispatcher_;
  const Permissions& permissions_;
};

// 202 with the action, and where it is.
http::Response Accepted(const action::ActionId& id, std::string body);

}  // namespace heliograph::api
