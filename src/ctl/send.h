// An action: what `send` asks the API for, and what became of it.
#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ctl/api.h"
#include "ctl/console.h"
#include "ctl/exit_code.h"
#include "json/json.h"

namespace heliograph::ctl {

struct SendOptions {
  ApiOptions api;
  // To whom: one of the three.
  std::vector<std::string> client_ids;
  std::string group;
  std::vector<std::string> selector;  // see SelectorOf
  std::vector<std::string> exclude;   // client ids
  bool dry_run = false;
  std::string dry_run_id;
  std::string directive;
  std::string payload;                // JSON, or any text with `text`
  std::string payload_file;           // instead of `payload`; "-" = standard input
  bool text = false;                  // the payload is sent as a JSON string, whatever it holds
  std::vector<std::string> metadata;  // "name=value"
  std::string idempotency_key;        // "" = a new one
  std::int64_t ttl_s = 0;             // until the deadline; 0 = as the API has it
  std::string if_offline;             // "queue" or "fail"; "" = as the API has it
  // When and how fast; "" and 0 = not said.
  std::string not_before;  // RFC 3339
  std::int64_t rate_per_s = 0;
  std::int64_t max_in_flight = 0;
  std::int64_t abort_failed_percent = 0;
  std::int64_t abort_min_finished = 0;  // 0 = 1, where a percentage is given
  double wait_s = 0;                    // for results; 0 = not at all
};

// The payload that the options name; null where they name none. kInvalidArgument: unreadable, or
// not JSON.
base::Result<json::Value> ReadPayload(const SendOptions& options, std::istream& standard_input);

// The body of POST /v1/actions. kInvalidArgument: not exactly one of client ids, group and
// selector; metadata without "=", or with a name twice.
base::Result<json::Value> ActionOf(const SendOptions& options, json::Value payload);

// Whether a target's status can still change; a status that this program does not know can.
bool IsFinal(std::string_view status);

// Whether every target of the action has ended; false where the answer does not tell.
bool HasEnded(const json::Value& action);

// kOk when every target of the action succeeded or, where nobody waits, was published or is on its
// way.
ExitCode JudgeAction(const json::Value& action, bool waited);

// The action, its targets one by one or how many stand where.
void WriteAction(const json::Value& action, const Console& console);

// How many devices are online, offline and so on.
void WriteDryRun(const json::Value& dry_run, const Console& console);

base::Result<ExitCode> Send(const SendOptions& options, std::istream& standard_input,
                            const Console& console);

}  // namespace heliograph::ctl
