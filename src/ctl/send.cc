#include "ctl/send.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/clock.h"
#include "base/uuid.h"
#include "ctl/fields.h"
#include "ctl/selector.h"

namespace heliograph::ctl {
namespace {

using base::ErrorCode;
using base::Result;
using std::chrono::milliseconds;

constexpr std::array<std::string_view, 8> kFinal = {"succeeded", "failed",       "expired",
                                                    "offline",   "unknown",      "unauthorised",
                                                    "cancelled", "undeliverable"};
constexpr std::array<std::string_view, 5> kOnItsWay = {"accepted", "queued", "published",
                                                       "delivered", "running"};

template <std::size_t N>
bool IsOneOf(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

Result<std::string> ReadAll(std::istream& in, const std::string& name) {
  std::ostringstream text;
  if (in.peek() != std::istream::traits_type::eof()) text << in.rdbuf();
  if (in.bad() || text.bad()) {
    return base::MakeError(ErrorCode::kInvalidArgument, "'" + name + "' cannot be read");
  }
  return text.str();
}

Result<std::string> ReadText(const SendOptions& options, std::istream& standard_input) {
  if (options.payload_file.empty()) return options.payload;
  if (options.payload_file == "-") return ReadAll(standard_input, "standard input");
  std::ifstream file(options.payload_file, std::ios::binary);
  if (!file) {
    return base::MakeError(ErrorCode::kInvalidArgument,
                           "the payload file '" + options.payload_file + "' cannot be opened");
  }
  return ReadAll(file, options.payload_file);
}

Result<json::Value> TargetsOf(const SendOptions& options) {
  const int ways = (options.client_ids.empty() ? 0 : 1) + (options.group.empty() ? 0 : 1) +
                   (options.selector.empty() ? 0 : 1);
  if (ways != 1) {
    return base::MakeError(ErrorCode::kInvalidArgument,
                           "to whom? By one of CLIENT_ID, --group and --selector");
  }
  json::Value targets = json::Value::object();
  if (!options.client_ids.empty()) targets["client_ids"] = options.client_ids;
  if (!options.group.empty()) targets["group"] = options.group;
  if (!options.selector.empty()) {
    auto selector = SelectorOf(options.selector);
    if (!selector) return std::move(selector).error();
    targets["selector"] = *std::move(selector);
  }
  if (!options.exclude.empty()) targets["exclude"] = options.exclude;
  return targets;
}

void AddRollout(const SendOptions& options, json::Value& action) {
  if (!options.not_before.empty()) action["not_before"] = options.not_before;
  if (options.rate_per_s > 0) action["rate_per_s"] = options.rate_per_s;
  if (options.max_in_flight > 0) action["max_in_flight"] = options.max_in_flight;
  if (options.abort_failed_percent > 0) {
    action["abort_if"] = {{"failed_percent", options.abort_failed_percent},
                          {"min_finished", std::max<std::int64_t>(options.abort_min_finished, 1)}};
  }
}

// Status -> how many targets stand there. The API tells it of every action; it lists the targets
// themselves up to a thousand only. Empty where it is missing.
json::Value TotalsOf(const json::Value& action) {
  const auto totals = action.is_object() ? action.find("totals") : action.end();
  return totals != action.end() && totals->is_object() ? *totals : json::Value::object();
}

// Whether `accept` takes every status that a target has; false where nothing is told.
template <class Accept>
bool EveryStatus(const json::Value& action, Accept accept) {
  const json::Value totals = TotalsOf(action);
  for (const auto& total : totals.items()) {
    if (total.value() != 0 && !accept(total.key())) return false;
  }
  return !totals.empty();
}

void ShowTotals(const json::Value& action, const Console& console) {
  const json::Value totals = TotalsOf(action);
  Table table({"STATUS", "TARGETS"});
  for (const auto& total : totals.items()) table.Add({total.key(), Field(totals, total.key())});
  table.Write(console.out);
  console.out << "\none by one: GET /v1/actions/" << Printable(Field(action, "action_id"))
              << "/targets\n";
}

// Asks until every target has ended or the time is over; what was seen last. Faster at first, since
// most devices answer at once.
Result<json::Value> WaitForResults(Api& api, json::Value action, double wait_s) {
  const base::SystemClock clock;
  const base::SteadyTime deadline = clock.SteadyNow() + std::chrono::duration_cast<milliseconds>(
                                                            std::chrono::duration<double>(wait_s));
  const std::string id = Field(action, "action_id");
  milliseconds pause(20);
  while (!HasEnded(action) && clock.SteadyNow() < deadline) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - clock.SteadyNow());
    std::this_thread::sleep_for(std::min(pause, std::max(left, milliseconds(0))));
    pause = std::min(pause * 2, milliseconds(1000));
    auto seen = api.Get({"v1", "actions", id});
    if (seen) {
      action = *std::move(seen);
    } else if (!base::IsRetriable(seen.error().code) || clock.SteadyNow() >= deadline) {
      return std::move(seen).error();
    }
  }
  return action;
}

}  // namespace

Result<json::Value> ReadPayload(const SendOptions& options, std::istream& standard_input) {
  auto text = ReadText(options, standard_input);
  if (!text) return std::move(text).error();
  if (options.text) return json::Value(*text);
  if (text->empty() && options.payload_file.empty()) return json::Value();
  json::Parsed parsed = json::Parse(*text);
  if (!parsed) {
    return base::MakeError(
        ErrorCode::kInvalidArgument,
        "the payload is not JSON (" + parsed.error().message + "); --text sends it as a string");
  }
  return std::move(*parsed);
}

Result<json::Value> ActionOf(const SendOptions& options, json::Value payload) {
  auto targets = TargetsOf(options);
  if (!targets) return std::move(targets).error();
  json::Value action = {{"targets", *std::move(targets)},
                        {"directive", options.directive},
                        {"payload", std::move(payload)}};
  if (options.dry_run) action["dry_run"] = true;
  if (!options.dry_run_id.empty()) action["dry_run_id"] = options.dry_run_id;
  if (options.ttl_s > 0) action["ttl_s"] = options.ttl_s;
  if (!options.if_offline.empty()) action["if_offline"] = options.if_offline;
  AddRollout(options, action);
  for (const std::string& entry : options.metadata) {
    const std::size_t equals = entry.find('=');
    if (equals == 0 || equals == entry.npos) {
      return base::MakeError(ErrorCode::kInvalidArgument,
                             "--metadata takes NAME=VALUE, not '" + entry + "'");
    }
    const std::string name = entry.substr(0, equals);
    if (!action["metadata"].emplace(name, entry.substr(equals + 1)).second) {
      return base::MakeError(ErrorCode::kInvalidArgument, "--metadata gives '" + name + "' twice");
    }
  }
  return action;
}

bool IsFinal(std::string_view status) { return IsOneOf(kFinal, status); }

bool HasEnded(const json::Value& action) { return EveryStatus(action, IsFinal); }

ExitCode JudgeAction(const json::Value& action, bool waited) {
  const bool good = EveryStatus(action, [waited](std::string_view status) {
    return status == "succeeded" || (!waited && IsOneOf(kOnItsWay, status));
  });
  return good ? ExitCode::kOk : ExitCode::kNo;
}

void WriteAction(const json::Value& action, const Console& console) {
  if (console.json) {
    console.out << json::WriteIndented(action) << '\n';
    return;
  }
  console.out << "action " << Printable(Field(action, "action_id"));
  if (const std::string status = Field(action, "status"); status != "-" && status != "running") {
    console.out << ", " << Printable(status);
  }
  console.out << "\n\n";
  if (ListField(action, "targets").empty()) return ShowTotals(action, console);
  Table table({"CLIENT ID", "STATUS", "REASON", "RESULT"});
  for (const json::Value& target : ListField(action, "targets")) {
    const auto result = target.is_object() ? target.find("result") : target.end();
    const bool has_result = result != target.end() && result->is_object();
    table.Add({Field(target, "client_id"), Field(target, "status"), Field(target, "reason"),
               has_result ? Field(*result, "content") : "-"});
  }
  table.Write(console.out);
}

void WriteDryRun(const json::Value& dry_run, const Console& console) {
  if (console.json) {
    console.out << json::WriteIndented(dry_run) << '\n';
    return;
  }
  const auto sample = dry_run.is_object() ? dry_run.find("sample") : dry_run.end();
  const json::Value samples = sample != dry_run.end() ? *sample : json::Value::object();
  Table table({"DEVICES", "COUNT", "FIRST OF THEM"});
  for (const char* word :
       {"online", "offline", "state_unknown", "unknown", "unauthorised", "excluded"}) {
    const json::Value ids = ListField(samples, word);
    table.Add({word, Field(dry_run, word),
               ids.empty() || !ids[0].is_string() ? "-" : ids[0].get<std::string>()});
  }
  table.Write(console.out);
  console.out << "\n"
              << Printable(Field(dry_run, "total")) << " targets; nothing was sent. To "
              << "act on exactly these: --dry-run-id " << Printable(Field(dry_run, "dry_run_id"))
              << '\n';
}

namespace {

// Sent, and not followed. A dry run needs no key: it may be made again and again.
Result<json::Value> Post(Api& api, const SendOptions& options, const json::Value& body) {
  if (options.dry_run) return api.Post({"v1", "actions"}, {}, body);
  const std::string key =
      options.idempotency_key.empty() ? base::NewUuid() : options.idempotency_key;
  auto action = api.Post({"v1", "actions"}, {{"Idempotency-Key", key}}, body);
  if (action) return action;
  base::Error error = std::move(action).error();
  // Nobody knows whether it was taken; the key makes a second try harmless.
  if (base::IsRetriable(error.code))
    error.message += "; to try again safely: --idempotency-key " + key;
  return error;
}

}  // namespace

Result<ExitCode> Send(const SendOptions& options, std::istream& standard_input,
                      const Console& console) {
  auto payload = ReadPayload(options, standard_input);
  if (!payload) return std::move(payload).error();
  const auto body = ActionOf(options, *std::move(payload));
  if (!body) return body.error();
  auto api = Api::Open(options.api);
  if (!api) return std::move(api).error();
  auto action = Post(*api, options, *body);
  if (!action) return std::move(action).error();
  if (options.dry_run) {
    WriteDryRun(*action, console);
    return ExitCode::kOk;
  }
  const bool waits = options.wait_s > 0;
  if (waits) {
    const std::string id = Field(*action, "action_id");
    action = WaitForResults(*api, *std::move(action), options.wait_s);
    if (!action) {
      base::Error error = std::move(action).error();
      error.message = "action " + id + " was accepted, but not followed: " + error.message;
      return error;
    }
  }
  WriteAction(*action, console);
  if (waits && !HasEnded(*action)) {
    console.err << "not every target has ended after " << options.wait_s
                << " s; ask again: heliograph action show "
                << Printable(Field(*action, "action_id")) << '\n';
  }
  return JudgeAction(*action, waits);
}

}  // namespace heliograph::ctl
