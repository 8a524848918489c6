#include "api/connection_routes.h"

#include <utility>

#include "api/cursor.h"
#include "api/page.h"
#include "api/parameters.h"
#include "api/problems.h"
#include "base/rfc3339.h"

namespace heliograph::api {
namespace {

// A path is decoded text of any kind; what is no client id is no device's.
std::optional<device::ClientId> ClientIdOf(const http::Request& request) {
  auto id = device::ParseClientId(request.path_parameters.find("client_id")->second);
  if (!id) return std::nullopt;
  return *std::move(id);
}

void AppendTime(std::string& out, base::Timestamp time) {
  out.append(1, '"').append(base::FormatRfc3339(time)).append(1, '"');
}

void AppendInterval(std::string& out, const device::Interval& interval) {
  out += R"({"online_from":)";
  AppendTime(out, interval.online_from);
  out += R"(,"online_until":)";
  interval.online_until ? AppendTime(out, *interval.online_until) : void(out += "null");
  out += R"(,"reason":)";
  interval.end_reason.empty() ? void(out += "null") : json::AppendString(out, interval.end_reason);
  out += R"(,"session_id":)";
  interval.session_id ? json::AppendString(out, interval.session_id->view()) : void(out += "null");
  out += '}';
}

}  // namespace

void ConnectionRoutes::AddTo(http::Router& router, const Guard& guard) {
  const auto add = [&](std::string_view path, auto handler) {
    router.Add("GET", path,
               guard.Protect(auth::Scope::kConnectionsRead,
                             [this, handler](const auto& request, const auto& caller) {
                               return (this->*handler)(request, caller);
                             }));
  };
  add("/v1/connections", &ConnectionRoutes::List);
  add("/v1/connections/{client_id}", &ConnectionRoutes::Get);
  add("/v1/connections/{client_id}/intervals", &ConnectionRoutes::ListIntervals);
}

http::Response ConnectionRoutes::List(const http::Request& request, const auth::Principal& caller) {
  Parameters parameters(
      request,
      {"state", "tenant", "client_id_prefix", "dispatcher", "seen_before", "cursor", "limit"},
      {"tag"});
  postgres::ConnectionQuery query;
  query.sight = TenantOf(caller);
  query.state = parameters.State("state");
  query.tenant = parameters.Tenant("tenant");
  if (query.tenant && !caller.is_operator()) parameters.Refuse("tenant", "is for operators only");
  query.client_id_prefix = parameters.ClientIdPrefix("client_id_prefix");
  query.dispatcher = parameters.Text("dispatcher");
  query.seen_before = parameters.Time("seen_before");
  query.tags = parameters.Tags("tag");
  query.limit = parameters.Limit();
  if (parameters.fault()) return *parameters.fault();
  if (const auto cursor = request.Query("cursor")) {
    auto after = ReadCursor(ListKind::kConnections, *cursor);
    if (!after) return InvalidCursor();
    query.after = *std::move(after);
  }
  const auto found = queries_.List(query);
  if (!found) return FromError(found.error());
  Page page;
  for (const device::Connection& each : found->connections) {
    page.Add([&](std::string& out) { out += device::WriteConnection(each); });
  }
  return std::move(page).Finish(
      found->more
          ? std::optional(WriteCursor(ListKind::kConnections, found->connections.back().client_id))
          : std::nullopt);
}

http::Response ConnectionRoutes::Get(const http::Request& request, const auth::Principal& caller) {
  const Parameters parameters(request, {});
  if (parameters.fault()) return *parameters.fault();
  const auto client_id = ClientIdOf(request);
  if (!client_id) return NotFound("connection");
  const auto connection = queries_.Get(*client_id, TenantOf(caller));
  if (!connection) return FromError(connection.error());
  if (!*connection) return NotFound("connection");
  http::Response response;
  response.body = device::WriteConnection(**connection);
  return response;
}

http::Response ConnectionRoutes::ListIntervals(const http::Request& request,
                                               const auth::Principal& caller) {
  Parameters parameters(request, {"cursor", "limit"});
  postgres::IntervalQuery query;
  query.sight = TenantOf(caller);
  query.limit = parameters.Limit();
  if (parameters.fault()) return *parameters.fault();
  if (const auto cursor = request.Query("cursor")) {
    query.before = ReadIntervalCursor(*cursor);
    if (!query.before) return InvalidCursor();
  }
  const auto client_id = ClientIdOf(request);
  if (!client_id) return NotFound("connection");
  query.client_id = *client_id;
  const std::int64_t limit = query.limit++;
  auto found = queries_.ListIntervals(query);
  if (!found) return FromError(found.error());
  if (!*found) return NotFound("connection");
  std::vector<postgres::StoredInterval>& intervals = **found;
  const bool more = std::cmp_greater(intervals.size(), limit);
  if (more) intervals.pop_back();
  Page page;
  for (const postgres::StoredInterval& each : intervals) {
    page.Add([&](std::string& out) { AppendInterval(out, each.interval); });
  }
  return std::move(page).Finish(more ? std::optional(WriteCursor(intervals.back().place))
                                     : std::nullopt);
}

}  // namespace heliograph::api
