// What the commands of `dead-letters` ask and show.
#pragma once

#include <string>
#include <vector>

#include "ctl/api.h"
#include "ctl/console.h"
#include "ctl/exit_code.h"
#include "ctl/listing.h"

namespace heliograph::ctl {

// Empty = not filtered. Sent as they are: the API knows what each may hold, and says so.
struct DeadLetterFilter {
  std::string kind;
  std::string state;
  std::string reason;
  std::string client_id;
  std::string action_id;
  std::string tenant;
  std::string from;    // RFC 3339
  std::string before;  // RFC 3339

  http_client::Query ToQuery() const;
};

struct ListDeadLettersOptions {
  ApiOptions api;
  DeadLetterFilter filter;
  Paging paging;
};

struct ShowDeadLetterOptions {
  ApiOptions api;
  std::string id;
};

// These, or all open ones of an action.
struct DecideOptions {
  ApiOptions api;
  std::vector<std::string> ids;
  std::string action_id;
  std::string note;        // of a discard
  std::string if_offline;  // of a replay, as ttl_s; empty, 0 = as the API has it
  int ttl_s = 0;
};

base::Result<ExitCode> ListDeadLetters(const ListDeadLettersOptions& options,
                                       const Console& console);
base::Result<ExitCode> ShowDeadLetter(const ShowDeadLetterOptions& options, const Console& console);
// One after the other; ends at the first that is refused, which can be asked for again.
base::Result<ExitCode> ReplayDeadLetters(const DecideOptions& options, const Console& console);
base::Result<ExitCode> DiscardDeadLetters(const DecideOptions& options, const Console& console);

}  // namespace heliograph::ctl
