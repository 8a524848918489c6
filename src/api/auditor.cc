#include "api/auditor.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "api/problems.h"

namespace heliograph::api {
namespace {

// More is no list of proxies.
constexpr std::size_t kLongestForwardedFor = 1024;

}  // namespace

postgres::Origin OriginOf(const http::Request& request, const auth::Principal& caller) {
  postgres::Origin origin;
  origin.caller = caller.name;
  origin.tenant = TenantOf(caller);
  origin.address = request.remote_address;
  if (const auto header = request.Header("x-forwarded-for")) {
    std::copy_if(header->begin(), header->begin() + std::min(header->size(), kLongestForwardedFor),
                 std::back_inserter(origin.forwarded_for),
                 [](char c) { return c >= 0x20 && c < 0x7f; });
  }
  origin.request_id = request.request_id;
  return origin;
}

std::function<http::Response(const http::Request&)> Auditor::Protect(const Guard& guard,
                                                                     auth::Scope scope,
                                                                     std::string deed,
                                                                     Handler handler) {
  return guard.Identify([this, scope, deed = std::move(deed), handler = std::move(handler)](
                            const http::Request& request, const auth::Principal& caller) {
    postgres::Decision decision;
    decision.deed = deed;
    http::Response response = caller.May(scope) ? handler(request, caller, decision)
                                                : PermissionDenied(auth::ScopeName(scope));
    Judge(request, caller, response, std::move(decision));
    return response;
  });
}

void Auditor::Judge(const http::Request& request, const auth::Principal& caller,
                    const http::Response& response, postgres::Decision decision) {
  if (response.status < 400 || response.status >= 500) return;
  decision.origin = OriginOf(request, caller);
  decision.accepted = false;
  decision.reason = response.problem;
  if (const base::Status added = audit_.Add(decision); !added) {
    log_.Error("a refusal is missing in the audit", {{"caller", decision.origin.caller},
                                                     {"address", decision.origin.address},
                                                     {"request_id", decision.origin.request_id},
                                                     {"deed", decision.deed},
                                                     {"reason", decision.reason},
                                                     {"why", added.error().message}});
  }
}

}  // namespace heliograph::api
