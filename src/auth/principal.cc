#include "auth/principal.h"

#include <algorithm>

namespace heliograph::auth {

std::string_view ScopeName(Scope scope) {
  switch (scope) {
    case Scope::kConnectionsRead:
      return "connections:read";
    case Scope::kActionsWrite:
      return "actions:write";
    case Scope::kAuditRead:
      return "audit:read";
    case Scope::kResultsWrite:
      return "results:write";
    case Scope::kGroupsRead:
      return "groups:read";
    case Scope::kGroupsWrite:
      return "groups:write";
    case Scope::kWebhooksRead:
      return "webhooks:read";
    case Scope::kWebhooksWrite:
      return "webhooks:write";
  }
  return "";
}

std::optional<Scope> ParseScope(std::string_view name) {
  for (const Scope scope :
       {Scope::kConnectionsRead, Scope::kActionsWrite, Scope::kAuditRead, Scope::kResultsWrite,
        Scope::kGroupsRead, Scope::kGroupsWrite, Scope::kWebhooksRead, Scope::kWebhooksWrite}) {
    if (ScopeName(scope) == name) return scope;
  }
  return std::nullopt;
}

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= 128 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '_' || c == ':' || c == '-';
         });
}

}  // namespace heliograph::auth
