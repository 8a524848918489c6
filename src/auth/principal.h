// Who asks, and what he may.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace heliograph::auth {

enum class Scope {
  kConnectionsRead,
  kActionsWrite,  // and read
  kAuditRead,
  kResultsWrite,  // for equipment that answers over REST
  kGroupsRead,
  kGroupsWrite,
  kWebhooksRead,
  kWebhooksWrite,  // and so has a tenant's events sent anywhere
};

std::string_view ScopeName(Scope scope);  // "connections:read"
std::optional<Scope> ParseScope(std::string_view name);

// A tenant's name, as device::ParseTenantId has it; this folder knows no devices.
bool IsName(std::string_view text);

struct Principal {
  std::string name;
  std::optional<std::string> tenant;  // nullopt = an operator: every tenant
  std::set<Scope> scopes;

  bool is_operator() const noexcept { return !tenant.has_value(); }
  bool May(Scope scope) const { return scopes.contains(scope); }
};

}  // namespace heliograph::auth
