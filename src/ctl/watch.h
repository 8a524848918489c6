// What `action watch` shows: a bar with counts and pace, until every target has ended.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "ctl/api.h"
#include "ctl/console.h"
#include "ctl/exit_code.h"
#include "json/json.h"

namespace heliograph::ctl {

struct WatchOptions {
  ApiOptions api;
  std::string action_id;
  double interval_s = 0.5;  // between two questions
};

struct Progress {
  std::int64_t targets = 0;
  std::int64_t ended = 0;
  std::string counts;       // "queued 3, succeeded 12"
  std::string status = {};  // of the action, where it is not simply running; "" else
  double per_s = -1;        // as the API counts it, over a minute; < 0: it does not say
};
Progress ProgressOf(const json::Value& action);

// "[#####-----]  50 %  paused  12 of 24 ended, 6/s  queued 3, succeeded 12". `per_s`: over the last
// few seconds; < 0: not known yet, then progress.per_s.
std::string ProgressLine(const Progress& progress, double per_s);

// Redraws one line of a terminal; elsewhere a line for each change. An outage passes. At the end
// the action as `action show` has it; the exit code as of `send --wait`.
base::Result<ExitCode> WatchAction(const WatchOptions& options, const Console& console);

}  // namespace heliograph::ctl
