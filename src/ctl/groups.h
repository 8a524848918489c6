// What `groups list`, `groups show`, `groups set` and `groups delete` ask and show.
#pragma once

#include <istream>
#include <string>
#include <vector>

#include "base/result.h"
#include "ctl/api.h"
#include "ctl/console.h"
#include "ctl/exit_code.h"
#include "ctl/listing.h"
#include "json/json.h"

namespace heliograph::ctl {

struct ListGroupsOptions {
  ApiOptions api;
  Paging paging;
};

struct GroupOptions {
  ApiOptions api;
  std::string name;
};

struct SetGroupOptions {
  GroupOptions group;
  std::vector<std::string> client_ids;
  std::string file;  // client ids beside those, one on each line; "-" = standard input; "" = none
  std::vector<std::string> selector;  // instead of client ids; see SelectorOf
};

// The body of PUT /v1/groups/{name}. kInvalidArgument: neither client ids nor a selector, or both;
// the file cannot be read.
base::Result<json::Value> GroupOf(const SetGroupOptions& options, std::istream& standard_input);

base::Result<ExitCode> ListGroups(const ListGroupsOptions& options, const Console& console);
base::Result<ExitCode> ShowGroup(const GroupOptions& options, const Console& console);
base::Result<ExitCode> SetGroup(const SetGroupOptions& options, std::istream& standard_input,
                                const Console& console);
base::Result<ExitCode> DeleteGroup(const GroupOptions& options, const Console& console);

}  // namespace heliograph::ctl
