#include "api/audit_routes.h"

#include <utility>

#include "api/cursor.h"
#include "api/page.h"
#include "api/parameters.h"
#include "api/problems.h"
#include "base/rfc3339.h"
#include "json/json.h"

namespace heliograph::api {
namespace {

void AppendEntry(std::string& out, const postgres::AuditEntry& entry) {
  const postgres::Decision& decision = entry.decision;
  out += R"({"at":")" + base::FormatRfc3339(entry.place.at) + '"';
  AppendText(out, "caller", decision.origin.caller);
  AppendText(out, "tenant", decision.origin.tenant ? decision.origin.tenant->view() : "");
  AppendText(out, "address", decision.origin.address);
  AppendText(out, "forwarded_for", decision.origin.forwarded_for);
  AppendText(out, "request_id", decision.origin.request_id);
  AppendText(out, "deed", decision.deed);
  AppendText(out, "decision", decision.accepted ? "accepted" : "refused");
  AppendText(out, "reason", decision.reason);
  AppendText(out, "action_id", decision.action_id ? decision.action_id->view() : "");
  out += R"(,"dead_letter_id":)" +
         (decision.dead_letter_id ? '"' + std::to_string(*decision.dead_letter_id) + '"' : "null");
  AppendText(out, "webhook", decision.webhook);
  AppendText(out, "directive", decision.directive);
  out += R"(,"targets":)" + (decision.targets ? std::to_string(*decision.targets) : "null") + '}';
}

std::optional<bool> ParseDecision(std::string_view word) {
  if (word == "accepted") return true;
  if (word == "refused") return false;
  return std::nullopt;
}

}  // namespace

void AuditRoutes::AddTo(http::Router& router, const Guard& guard) {
  router.Add("GET", "/v1/audit",
             guard.Protect(auth::Scope::kAuditRead,
                           [this](const http::Request& request, const auth::Principal& caller) {
                             return List(request, caller);
                           }));
}

http::Response AuditRoutes::List(const http::Request& request, const auth::Principal& caller) {
  if (!caller.is_operator()) return OperatorsOnly();
  Parameters parameters(
      request, {"caller", "tenant", "action_id", "decision", "from", "before", "cursor", "limit"});
  postgres::AuditQuery query;
  query.caller = parameters.Text("caller");
  query.tenant = parameters.Tenant("tenant");
  query.action_id = parameters.ActionId("action_id");
  if (const auto word = parameters.Text("decision")) {
    query.accepted = ParseDecision(*word);
    if (!query.accepted) parameters.Refuse("decision", "is neither 'accepted' nor 'refused'");
  }
  query.from = parameters.Time("from");
  query.until = parameters.Time("before");
  query.limit = parameters.Limit();
  if (parameters.fault()) return *parameters.fault();
  if (const auto cursor = request.Query("cursor")) {
    query.before = ReadAuditCursor(*cursor);
    if (!query.before) return InvalidCursor();
  }
  const auto found = audit_.List(query);
  if (!found) return FromError(found.error());
  Page page;
  for (const postgres::AuditEntry& each : found->entries) {
    page.Add([&](std::string& out) { AppendEntry(out, each); });
  }
  return std::move(page).Finish(found->next ? std::optional(WriteCursor(*found->next))
                                            : std::nullopt);
}

}  // namespace heliograph::api
