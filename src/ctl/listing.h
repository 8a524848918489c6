// A list of the API, page after page, as a table or as JSON.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ctl/api.h"
#include "ctl/console.h"
#include "ctl/exit_code.h"
#include "http_client/url.h"

namespace heliograph::ctl {

struct Listing {
  std::vector<std::string_view> levels;  // of the path
  http_client::Query query;              // without limit and cursor
  std::vector<std::string> headings;
  std::function<std::vector<std::string>(const json::Value&)> row_of;
};

// Those that have a value.
http_client::Query Filters(std::initializer_list<std::pair<const char*, const std::string&>> named);

// At most so many, or so many a page where `all` pages are wanted.
struct Paging {
  int limit = 50;
  bool all = false;

  void Declare(CLI::App& command);
};

// Writes pages as they come, so that a million items do not have to fit into memory.
base::Result<ExitCode> WriteListing(Api& api, const Listing& listing, const Paging& paging,
                                    const Console& console);

}  // namespace heliograph::ctl
