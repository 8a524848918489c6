#include "api/group_routes.h"

#include <utility>

#include "api/cursor.h"
#include "api/media_type.h"
#include "api/page.h"
#include "api/parameters.h"
#include "api/problems.h"
#include "json/json.h"

namespace heliograph::api {
namespace {

// What is no name is no group's.
std::optional<action::GroupName> NameOf(const http::Request& request) {
  auto name = action::ParseGroupName(request.path_parameters.find("name")->second);
  if (!name) return std::nullopt;
  return *std::move(name);
}

}  // namespace

void GroupRoutes::AddTo(http::Router& router, const Guard& guard) {
  const auto add = [&](std::string_view method, std::string_view path, auth::Scope scope,
                       auto handler) {
    router.Add(method, path,
               guard.Protect(scope, [this, handler](const auto& request, const auto& caller) {
                 return (this->*handler)(request, caller);
               }));
  };
  add("GET", "/v1/groups", auth::Scope::kGroupsRead, &GroupRoutes::List);
  add("GET", "/v1/groups/{name}", auth::Scope::kGroupsRead, &GroupRoutes::Get);
  add("PUT", "/v1/groups/{name}", auth::Scope::kGroupsWrite, &GroupRoutes::Put);
  add("DELETE", "/v1/groups/{name}", auth::Scope::kGroupsWrite, &GroupRoutes::Delete);
  add("GET", "/v1/groups/{name}/members", auth::Scope::kGroupsRead, &GroupRoutes::ListMembers);
}

http::Response GroupRoutes::List(const http::Request& request, const auth::Principal& caller) {
  Parameters parameters(request, {"cursor", "limit"});
  const std::int64_t limit = parameters.Limit();
  if (parameters.fault()) return *parameters.fault();
  action::GroupName after;
  if (const auto cursor = request.Query("cursor")) {
    // A group's name has the form of a client id.
    const auto last = ReadCursor(ListKind::kGroups, *cursor);
    if (!last) return InvalidCursor();
    after = action::GroupName(last->view());
  }
  auto groups = groups_.List(TenantOf(caller), after, limit + 1);
  if (!groups) return FromError(groups.error());
  const bool more = std::cmp_greater(groups->size(), limit);
  if (more) groups->pop_back();
  Page page;
  for (const action::Group& each : *groups) {
    page.Add([&](std::string& out) { action::AppendHeading(out, each); });
  }
  return std::move(page).Finish(
      more ? std::optional(
                 WriteCursor(ListKind::kGroups, device::ClientId(groups->back().name.view())))
           : std::nullopt);
}

http::Response GroupRoutes::Put(const http::Request& request, const auth::Principal& caller) {
  const Parameters parameters(request, {});
  if (parameters.fault()) return *parameters.fault();
  const auto name = NameOf(request);
  if (!name) return InvalidGroupName();
  if (!IsJson(request)) return UnsupportedMediaType();
  const auto parsed = action::ParseGroup(request.body);
  if (const auto* fault = std::get_if<action::RequestFault>(&parsed)) {
    return InvalidBody(fault->field, fault->message);
  }
  const auto& definition = std::get<action::GroupDefinition>(parsed);
  if (definition.selector && definition.selector->tenant && !caller.is_operator()) {
    return InvalidBody("/selector/tenant", "it is for operators only");
  }
  const auto put = groups_.Put(TenantOf(caller), *name, definition);
  if (!put) return FromError(put.error());
  http::Response response;
  response.status = put->created ? 201 : 200;
  if (put->created) response.headers.emplace_back("location", "/v1/groups/" + name->str());
  response.body = action::WriteGroup(put->group);
  return response;
}

http::Response GroupRoutes::Get(const http::Request& request, const auth::Principal& caller) {
  const Parameters parameters(request, {});
  if (parameters.fault()) return *parameters.fault();
  const auto name = NameOf(request);
  if (!name) return NotFound("group");
  const auto group = groups_.Get(TenantOf(caller), *name);
  if (!group) return FromError(group.error());
  if (!*group) return NotFound("group");
  http::Response response;
  response.body = action::WriteGroup(**group);
  return response;
}

http::Response GroupRoutes::Delete(const http::Request& request, const auth::Principal& caller) {
  const Parameters parameters(request, {});
  if (parameters.fault()) return *parameters.fault();
  const auto name = NameOf(request);
  if (!name) return NotFound("group");
  const auto deleted = groups_.Delete(TenantOf(caller), *name);
  if (!deleted) return FromError(deleted.error());
  if (!*deleted) return NotFound("group");
  http::Response response;
  response.status = 204;
  return response;
}

http::Response GroupRoutes::ListMembers(const http::Request& request,
                                        const auth::Principal& caller) {
  Parameters parameters(request, {"cursor", "limit"});
  const std::int64_t limit = parameters.Limit();
  if (parameters.fault()) return *parameters.fault();
  device::ClientId after;
  if (const auto cursor = request.Query("cursor")) {
    auto last = ReadCursor(ListKind::kMembers, *cursor);
    if (!last) return InvalidCursor();
    after = *std::move(last);
  }
  const auto name = NameOf(request);
  if (!name) return NotFound("group");
  auto found = groups_.ListMembers(TenantOf(caller), *name, after, limit + 1);
  if (!found) return FromError(found.error());
  if (!*found) return NotFound("group");
  std::vector<device::ClientId>& members = **found;
  const bool more = std::cmp_greater(members.size(), limit);
  if (more) members.pop_back();
  Page page;
  for (const device::ClientId& each : members) {
    page.Add([&](std::string& out) {
      out += R"({"client_id":)";
      json::AppendString(out, each.view());
      out += '}';
    });
  }
  return std::move(page).Finish(
      more ? std::optional(WriteCursor(ListKind::kMembers, members.back())) : std::nullopt);
}

}  // namespace heliograph::api
