#include "auth/principal.h"

namespace heliograph::auth {

std::string_view ScopeName(Scope scope) {
  switch (scope) {
    case Scope::kConnectionsRead:
      return "connections:read";
    case Scope::kActionsWrite:
      return "actions:write";
  }
  return "";
}

std::optional<Scope> ParseScope(std::string_view name) {
  for (const Scope scope : {Scope::kConnectionsRead, Scope::kActionsWrite}) {
    if (ScopeName(scope) == name) return scope;
  }
  return std::nullopt;
}

}  // namespace heliograph::auth
