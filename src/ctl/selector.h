// What --selector says, as the API takes it.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "json/json.h"

namespace heliograph::ctl {

inline constexpr const char* kSelectorHelp =
    "NAME=VALUE of state, client_id_prefix, dispatcher, client_version, tenant (operators only), "
    "or tag=KEY:VALUE; may be given again: all must hold";

// {"state": "online", "tags": {"site": "north"}} of "state=online" and "tag=site:north".
// kInvalidArgument: no such form, or a condition twice; what the values may be the API knows.
base::Result<json::Value> SelectorOf(const std::vector<std::string>& conditions);

}  // namespace heliograph::ctl
