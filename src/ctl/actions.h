// What `action list`, `action show`, `action cancel`, `action pause` and `action resume` ask and
// show.
#pragma once

#include <string>

#include "ctl/api.h"
#include "ctl/console.h"
#include "ctl/exit_code.h"
#include "ctl/listing.h"

namespace heliograph::ctl {

// Empty = not filtered. Sent as they are: the API knows what each may hold, and says so.
struct ActionFilter {
  std::string tenant;
  std::string requested_by;
  std::string directive;
  std::string status;
  std::string created_from;    // RFC 3339
  std::string created_before;  // RFC 3339

  http_client::Query ToQuery() const;
};

struct ListActionsOptions {
  ApiOptions api;
  ActionFilter filter;
  Paging paging;
};

struct ActionOptions {
  ApiOptions api;
  std::string action_id;
};

base::Result<ExitCode> ListActions(const ListActionsOptions& options, const Console& console);
base::Result<ExitCode> ShowAction(const ActionOptions& options, const Console& console);
base::Result<ExitCode> CancelAction(const ActionOptions& options, const Console& console);
base::Result<ExitCode> PauseAction(const ActionOptions& options, const Console& console);
base::Result<ExitCode> ResumeAction(const ActionOptions& options, const Console& console);

}  // namespace heliograph::ctl
