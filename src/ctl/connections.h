// What `connections list` and `connections show` ask and show.
#pragma once

#include <string>
#include <vector>

#include "ctl/api.h"
#include "ctl/console.h"
#include "ctl/exit_code.h"
#include "ctl/listing.h"
#include "http_client/url.h"

namespace heliograph::ctl {

// Empty = not filtered. Sent as they are: the API knows what each may hold, and says so.
struct ConnectionFilter {
  std::string state;
  std::string tenant;
  std::string client_id_prefix;
  std::vector<std::string> tags;  // "key:value"
  std::string dispatcher;
  std::string seen_before;  // RFC 3339

  http_client::Query ToQuery() const;
};

struct ListOptions {
  ApiOptions api;
  ConnectionFilter filter;
  Paging paging;
  double watch_s = 0;  // again and again, that far apart; 0 = once
};

struct ShowOptions {
  ApiOptions api;
  std::string client_id;
  int intervals = 10;
};

base::Result<ExitCode> ListConnections(const ListOptions& options, const Console& console);
base::Result<ExitCode> ShowConnection(const ShowOptions& options, const Console& console);

}  // namespace heliograph::ctl
