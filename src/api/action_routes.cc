#include "api/action_routes.h"

#include <algorithm>
#include <utility>

#include "action/action_status.h"
#include "action/request.h"
#include "action/result_body.h"
#include "api/cursor.h"
#include "api/media_type.h"
#include "api/page.h"
#include "api/parameters.h"
#include "api/problems.h"

namespace heliograph::api {
namespace {

constexpr std::size_t kLongestKey = 255;

// Visible ASCII, so that it can be logged and compared by anybody.
bool IsIdempotencyKey(std::string_view key) {
  return !key.empty() && key.size() <= kLongestKey &&
         std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

// What is no UUID is no action's.
std::optional<action::ActionId> ActionIdOf(const http::Request& request) {
  auto id = action::ParseActionId(request.path_parameters.find("action_id")->second);
  if (!id) return std::nullopt;
  return *std::move(id);
}

// One whose deadline has just passed may not say so yet.
std::string_view OverNameOf(const action::Action& action) {
  const action::ActionStatus status = action::StatusOf(action);
  const bool stopped =
      status == action::ActionStatus::kCancelled || status == action::ActionStatus::kAborted;
  return action::ActionStatusName(stopped ? status : action::ActionStatus::kEnded);
}

// The one header of that name; two would leave open which one counts.
std::optional<http::Response> CheckKey(const http::Request& request) {
  const auto times =
      std::count_if(request.headers.begin(), request.headers.end(),
                    [](const auto& each) { return each.first == "idempotency-key"; });
  if (times == 0) return InvalidIdempotencyKey("is missing");
  if (times > 1) return InvalidIdempotencyKey("stands more than once");
  if (!IsIdempotencyKey(*request.Header("idempotency-key"))) {
    return InvalidIdempotencyKey("has not 1 to 255 visible ASCII characters");
  }
  return std::nullopt;
}

}  // namespace

void ActionRoutes::AddTo(http::Router& router, const Guard& guard) {
  const auto add = [&](std::string_view method, std::string_view path, auto handler) {
    router.Add(method, path,
               guard.Protect(auth::Scope::kActionsWrite,
                             [this, handler](const auto& request, const auto& caller) {
                               return (this->*handler)(request, caller);
                             }));
  };
  const auto add_deed = [&](std::string_view path, std::string deed, auto handler) {
    router.Add(
        "POST", path,
        auditor_.Protect(guard, auth::Scope::kActionsWrite, std::move(deed),
                         [this, handler](const auto& request, const auto& caller, auto& decision) {
                           return (this->*handler)(request, caller, decision);
                         }));
  };
  add_deed("/v1/actions", "create", &ActionRoutes::Post);
  add_deed("/v1/actions/{action_id}/cancel", "cancel", &ActionRoutes::Cancel);
  add_deed("/v1/actions/{action_id}/pause", "pause", &ActionRoutes::Pause);
  add_deed("/v1/actions/{action_id}/resume", "resume", &ActionRoutes::Resume);
  add("GET", "/v1/actions", &ActionRoutes::List);
  add("GET", "/v1/actions/{action_id}", &ActionRoutes::Get);
  add("GET", "/v1/actions/{action_id}/targets", &ActionRoutes::ListTargets);
  add("GET", "/v1/actions/{action_id}/targets/{client_id}", &ActionRoutes::GetTarget);
  router.Add(
      "POST", "/v1/actions/{action_id}/targets/{client_id}/result",
      guard.Protect(auth::Scope::kResultsWrite, [this](const auto& request, const auto& caller) {
        return PostResult(request, caller);
      }));
}

http::Response ActionRoutes::Post(const http::Request& request, const auth::Principal& caller,
                                  postgres::Decision& decision) {
  const Parameters parameters(request, {});
  if (parameters.fault()) return *parameters.fault();
  if (!IsJson(request)) return UnsupportedMediaType();
  auto parsed = action::ParseRequest(request.body);
  const auto* fault = std::get_if<action::RequestFault>(&parsed);
  const bool dry_run = fault == nullptr && std::get<action::Request>(parsed).dry_run;
  if (!dry_run) {
    if (const auto key_fault = CheckKey(request)) return *key_fault;
  }
  if (fault != nullptr) return InvalidBody(fault->field, fault->message);
  const auto& selector = std::get<action::Request>(parsed).selector;
  if (selector && selector->tenant && !caller.is_operator()) {
    return InvalidBody("/targets/selector/tenant", "it is for operators only");
  }
  if (dry_run) {
    return submitter_.Try(OriginOf(request, caller), std::get<action::Request>(std::move(parsed)),
                          decision);
  }
  return submitter_.Submit({TenantOf(caller), std::string(*request.Header("idempotency-key"))},
                           OriginOf(request, caller), std::get<action::Request>(std::move(parsed)),
                           {}, decision);
}

http::Response ActionRoutes::List(const http::Request& request, const auth::Principal& caller) {
  Parameters parameters(request, {"tenant", "requested_by", "directive", "status", "created_from",
                                  "created_before", "cursor", "limit"});
  postgres::ActionQuery query;
  query.sight = TenantOf(caller);
  query.tenant = parameters.Tenant("tenant");
  if (query.tenant && !caller.is_operator()) parameters.Refuse("tenant", "is for operators only");
  query.requested_by = parameters.Text("requested_by");
  if (const auto text = parameters.Text("directive")) {
    auto directive = action::ParseDirective(*text);
    if (directive) {
      query.directive = *std::move(directive);
    } else {
      parameters.Refuse("directive", "is no directive");
    }
  }
  if (const auto text = parameters.Text("status")) {
    query.status = action::ParseActionStatus(*text);
    if (!query.status) parameters.Refuse("status", "is not the status of an action");
  }
  query.created_from = parameters.Time("created_from");
  query.created_before = parameters.Time("created_before");
  query.limit = parameters.Limit();
  if (parameters.fault()) return *parameters.fault();
  if (const auto cursor = request.Query("cursor")) {
    query.before = ReadActionCursor(*cursor);
    if (!query.before) return InvalidCursor();
  }
  const auto found = queries_.List(query);
  if (!found) return FromError(found.error());
  Page page;
  for (const action::Action& each : found->actions) {
    page.Add([&](std::string& out) { action::AppendListed(out, each); });
  }
  return std::move(page).Finish(found->next ? std::optional(WriteCursor(*found->next))
                                            : std::nullopt);
}

http::Response ActionRoutes::Cancel(const http::Request& request, const auth::Principal& caller,
                                    postgres::Decision& decision) {
  const Parameters parameters(request, {});
  if (parameters.fault()) return *parameters.fault();
  const auto id = ActionIdOf(request);
  if (!id) return NotFound("action");
  decision.action_id = *id;
  const auto action = store_.Cancel(*id, OriginOf(request, caller));
  watched_.Forget(*id);
  if (!action) return FromError(action.error());
  if (!*action) return NotFound("action");
  http::Response response;
  response.body = action::WriteAction(**action);
  return response;
}

http::Response ActionRoutes::Pause(const http::Request& request, const auth::Principal& caller,
                                   postgres::Decision& decision) {
  return SetPaused(request, caller, decision, &postgres::RolloutStore::Pause);
}

http::Response ActionRoutes::Resume(const http::Request& request, const auth::Principal& caller,
                                    postgres::Decision& decision) {
  return SetPaused(request, caller, decision, &postgres::RolloutStore::Resume);
}

http::Response ActionRoutes::SetPaused(const http::Request& request, const auth::Principal& caller,
                                       postgres::Decision& decision, Pausing pausing) {
  const Parameters parameters(request, {});
  if (parameters.fault()) return *parameters.fault();
  const auto id = ActionIdOf(request);
  if (!id) return NotFound("action");
  decision.action_id = *id;
  const auto paused = (rollouts_.*pausing)(*id, OriginOf(request, caller));
  watched_.Forget(*id);
  if (!paused) return FromError(paused.error());
  if (!*paused) return NotFound("action");
  if ((*paused)->over) {
    decision.directive = (*paused)->action.directive.str();
    return ActionIsOver(OverNameOf((*paused)->action));
  }
  http::Response response;
  response.body = action::WriteAction((*paused)->action);
  return response;
}

http::Response ActionRoutes::Get(const http::Request& request, const auth::Principal& caller) {
  const Parameters parameters(request, {});
  if (parameters.fault()) return *parameters.fault();
  const auto id = ActionIdOf(request);
  if (!id) return NotFound("action");
  const auto action = watched_.Get(*id, TenantOf(caller));
  if (!action) return FromError(action.error());
  if (!*action) return NotFound("action");
  http::Response response;
  response.body = action::WriteAction(**action);
  return response;
}

http::Response ActionRoutes::ListTargets(const http::Request& request,
                                         const auth::Principal& caller) {
  Parameters parameters(request, {"status", "cursor", "limit"});
  postgres::TargetQuery query;
  if (const auto status = request.Query("status")) {
    query.status = action::ParseTargetStatus(*status);
    if (!query.status) parameters.Refuse("status", "is not the status of a target");
  }
  const std::int64_t limit = parameters.Limit();
  if (parameters.fault()) return *parameters.fault();
  if (const auto cursor = request.Query("cursor")) {
    auto after = ReadCursor(ListKind::kTargets, *cursor);
    if (!after) return InvalidCursor();
    query.after = *std::move(after);
  }
  const auto id = ActionIdOf(request);
  if (!id) return NotFound("action");
  query.action_id = *id;
  query.limit = limit + 1;
  auto found = store_.ListTargets(query, TenantOf(caller));
  if (!found) return FromError(found.error());
  if (!*found) return NotFound("action");
  std::vector<action::Target>& targets = **found;
  const bool more = std::cmp_greater(targets.size(), limit);
  if (more) targets.pop_back();
  Page page;
  for (const action::Target& each : targets) {
    page.Add([&](std::string& out) { action::AppendTarget(out, each); });
  }
  return std::move(page).Finish(
      more ? std::optional(WriteCursor(ListKind::kTargets, targets.back().client_id))
           : std::nullopt);
}

http::Response ActionRoutes::GetTarget(const http::Request& request,
                                       const auth::Principal& caller) {
  const Parameters parameters(request, {});
  if (parameters.fault()) return *parameters.fault();
  const auto id = ActionIdOf(request);
  if (!id) return NotFound("action");
  const auto client_id = device::ParseClientId(request.path_parameters.find("client_id")->second);
  if (!client_id) return NotFound("target");
  const auto target = store_.GetTarget(*id, *client_id, TenantOf(caller));
  if (!target) return FromError(target.error());
  if (!*target) return NotFound("target");
  http::Response response;
  action::AppendTarget(response.body, **target);
  return response;
}

http::Response ActionRoutes::PostResult(const http::Request& request,
                                        const auth::Principal& caller) {
  const Parameters parameters(request, {});
  if (parameters.fault()) return *parameters.fault();
  if (!IsJson(request)) return UnsupportedMediaType();
  const auto id = ActionIdOf(request);
  if (!id) return NotFound("action");
  const auto client_id = device::ParseClientId(request.path_parameters.find("client_id")->second);
  if (!client_id) return NotFound("target");
  auto parsed = action::ParseResultBody(request.body, *id);
  if (const auto* fault = std::get_if<action::RequestFault>(&parsed)) {
    return InvalidBody(fault->field, fault->message);
  }
  if (auto* why = std::get_if<device::Unacceptable>(&parsed)) {
    return FromError(base::MakeError(base::ErrorCode::kTooLarge, std::move(why->detail)));
  }
  const auto target =
      store_.Report(*client_id, std::get<action::Report>(std::move(parsed)), TenantOf(caller));
  watched_.Forget(*id);
  if (!target) return FromError(target.error());
  if (!*target) return NotFound("target");
  http::Response response;
  action::AppendTarget(response.body, **target);
  return response;
}

}  // namespace heliograph::api
