#include "api/submitter.h"

#include <string>
#include <utility>

#include "api/problems.h"
#include "api/set_answers.h"
#include "auth/sha256.h"

namespace heliograph::api {
namespace {

// By which a request is known for that which was tried.
std::string MeaningOf(const action::Request& request) {
  return auth::WriteHex(auth::Sha256(request.meaning));
}

// Of a set nobody knows how many are in it.
void Describe(const action::Request& request, postgres::Decision& decision) {
  decision.directive = request.directive.str();
  if (request.client_ids.empty()) return;
  decision.targets = static_cast<std::int64_t>(request.client_ids.size());
}

}  // namespace

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
  Describe(submission.request, decision);
  if (const base::Status start = dispatcher_.CheckStart(submission.request); !start) {
    return InvalidBody("/not_before", start.error().message);
  }
  submission.key = std::move(key);
  submission.request_hash = auth::WriteHex(auth::Sha256(submission.request.canonical));
  submission.origin = origin;
  submission.replay_of = std::move(replay_of);
  auto answer = Dispatch(submission);
  if (!answer && answer.error().code == base::ErrorCode::kInvalidArgument) {
    return InvalidBody("/deadline", answer.error().message);
  }
  if (!answer) return FromError(answer.error());
  if (const auto* refusal = std::get_if<postgres::SetRefusal>(&*answer)) {
    return FromRefusal(*refusal);
  }
  auto& accepted = std::get<dispatch::Answer>(*answer);
  return Accepted(accepted.action_id, std::move(accepted.body));
}

// Devices that are named one by one are published to at once, unless a dry run is named or they are
// not all to be published to at once: then theirs is a set like any other.
base::Result<Submitter::Outcome> Submitter::Dispatch(dispatch::Submission& submission) {
  const action::Request& asked = submission.request;
  if (asked.client_ids.empty() || asked.dry_run_id || asked.rollout.any()) {
    std::optional<postgres::NamedDryRun> dry_run;
    if (asked.dry_run_id) dry_run = {*asked.dry_run_id, MeaningOf(asked)};
    return dispatcher_.SubmitSet(submission, JudgeFor(submission), dry_run);
  }
  auto forbidden = permissions_.Forbidden(submission.origin.caller, submission.key.tenant,
                                          asked.directive, asked.client_ids);
  if (!forbidden) return std::move(forbidden).error();
  submission.forbidden = *std::move(forbidden);
  auto answer = dispatcher_.Submit(submission);
  if (!answer) return std::move(answer).error();
  return Outcome(*std::move(answer));
}

http::Response Submitter::Try(const postgres::Origin& origin, action::Request request,
                              postgres::Decision& decision) {
  dispatch::Submission submission;
  submission.request = std::move(request);
  Describe(submission.request, decision);
  if (const base::Status start = dispatcher_.CheckStart(submission.request); !start) {
    return InvalidBody("/not_before", start.error().message);
  }
  submission.key.tenant = origin.tenant;
  submission.origin = origin;
  const auto tried = sets_.Try({dispatch::TargetSetOf(submission.request, origin.tenant),
                                MeaningOf(submission.request), JudgeFor(submission)});
  if (!tried) return FromError(tried.error());
  if (const auto* refusal = std::get_if<postgres::SetRefusal>(&*tried)) {
    return FromRefusal(*refusal);
  }
  return FromDryRun(std::get<postgres::DryRun>(*tried));
}

postgres::Judge Submitter::JudgeFor(const dispatch::Submission& submission) const {
  if (!permissions_.asks()) return {};
  return [this, &submission](std::span<const device::ClientId> client_ids) {
    return permissions_.Forbidden(submission.origin.caller, submission.key.tenant,
                                  submission.request.directive, client_ids);
  };
}

}  // namespace heliograph::api
