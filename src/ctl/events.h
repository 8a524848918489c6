// What `events watch` shows: a line for each event, for ever.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "ctl/api.h"
#include "ctl/console.h"
#include "ctl/event_parser.h"
#include "ctl/exit_code.h"

namespace heliograph::ctl {

struct WatchEventsOptions {
  ApiOptions api;
  std::vector<std::string> types;
  std::string client_id_prefix;
  std::string group;
  std::string action_id;
  std::string since_id;  // "" = from now on
};

// "2026-11-22T00:10:00Z  connection.online  solar-1  said_online  c48213.0.17": the last word is
// the id, for --since-id. Device and action come before what happened.
std::string EventLine(const StreamEvent& event);

// Goes on until it is interrupted, or refused. Where the stream ends or the API is away, it comes
// again with the last id; the first time the API must be there. That something is missing
// (`reset`) is told on console.err, as JSON beside the events.
base::Result<ExitCode> WatchEvents(const WatchEventsOptions& options, const Console& console);

}  // namespace heliograph::ctl
