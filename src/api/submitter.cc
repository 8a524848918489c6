#include "api/submitter.h"

#include <utility>

#include "api/problems.h"
#include "auth/sha256.h"

namespace heliograph::api {

http::Response Accepted(const action::ActionId& id, std::string body) {
  http::Response response;
  response.status = 202;
  response.headers.emplace_back("location", "/v1/actions/" + id.str());
  response.body = std::move(body);
  return response;
}

http::Response Submitter::Submit(postgres::RequestKey key, const postgres::Origin& origin,
                                 action::Request request, std::optional<action::ActionId> replay_of,
                                 postgres::Decision& decision) {
  dispatch::Submission submission;
  submission.request = std::move(request);
  decision.directive = submission.request.directive.str();
  decision.targets = static_cast<std::int64_t>(submission.request.client_ids.size());
  submission.key = std::move(key);
  submission.request_hash = auth::WriteHex(auth::Sha256(submission.request.canonical));
  submission.origin = origin;
  submission.replay_of = std::move(replay_of);
  auto forbidden =
      permissions_.Forbidden(origin.caller, submission.key.tenant, submission.request.directive,
                             submission.request.client_ids);
  if (!forbidden) return FromError(forbidden.error());
  submission.forbidden = *std::move(forbidden);
  auto answer = dispatcher_.Submit(submission);
  if (!answer && answer.error().code == base::ErrorCode::kInvalidArgument) {
    return InvalidBody("/deadline", answer.error().message);
  }
  if (!answer) return FromError(answer.error());
  return Accepted(answer->action_id, std::move(answer->body));
}

}  // namespace heliograph::api
