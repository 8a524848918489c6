#include "action/if_offline.h"

namespace heliograph::action {

std::string_view IfOfflineName(IfOffline choice) {
  return choice == IfOffline::kQueue ? "queue" : "fail";
}

std::optional<IfOffline> ParseIfOffline(std::string_view name) {
  for (const IfOffline choice : {IfOffline::kFail, IfOffline::kQueue}) {
    if (IfOfflineName(choice) == name) return choice;
  }
  return std::nullopt;
}

}  // namespace heliograph::action
