#include "ctl/connections.h"

#include <sstream>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/rfc3339.h"
#include "ctl/fields.h"

namespace heliograph::ctl {
namespace {

using base::Result;

std::vector<std::string> RowOf(const json::Value& connection) {
  return {Field(connection, "client_id"),     Field(connection, "tenant"),
          Field(connection, "state"),         TimeField(connection, "since"),
          Field(connection, "reason"),        TimeField(connection, "last_seen"),
          Field(connection, "client_version")};
}

Result<ExitCode> ListOnce(Api& api, const ListOptions& options, const Console& console) {
  return WriteListing(api,
                      {{"v1", "connections"},
                       options.filter.ToQuery(),
                       {"CLIENT ID", "TENANT", "STATE", "SINCE", "REASON", "LAST SEEN", "VERSION"},
                       RowOf},
                      options.paging, console);
}

// Redraws until the process is interrupted; what goes wrong is shown in place of the table and
// passes.
Result<ExitCode> Watch(Api& api, const ListOptions& options, const Console& console) {
  if (!console.terminal || console.json) {
    return base::MakeError(
        base::ErrorCode::kInvalidArgument,
        "--watch redraws a terminal; without one, or with --json, ask again and again");
  }
  const base::SystemClock clock;
  while (true) {
    std::ostringstream screen;
    const auto listed = ListOnce(api, options, {.out = screen, .err = screen});
    if (!listed) screen << Printable(listed.error().message) << '\n';
    console.out << "\x1b[H\x1b[2J" << base::FormatRfc3339(clock.Now()).substr(0, 19)
                << "Z, Ctrl-C ends\n\n"
                << screen.str() << std::flush;
    std::this_thread::sleep_for(std::chrono::duration<double>(options.watch_s));
  }
}

void ShowFields(const json::Value& connection, std::ostream& out) {
  for (const char* name : {"client_id", "tenant", "state", "since", "reason", "last_seen",
                           "session_id", "client_name", "client_version", "log_position"}) {
    out << name << ": " << Printable(Field(connection, name)) << '\n';
  }
  for (const char* name : {"tags", "dispatchers", "canonical_facts"}) {
    const auto found = connection.find(name);
    if (found == connection.end() || found->empty()) continue;
    // JSON escapes control characters itself, all but DEL and those above 0x7f; line by line keeps
    // the line ends.
    out << name << ":\n";
    std::istringstream lines(json::WriteIndented(*found));
    for (std::string line; std::getline(lines, line);) out << "  " << Printable(line) << '\n';
  }
}

void ShowIntervals(const json::Value& page, std::ostream& out) {
  const json::Value intervals = ListField(page, "items");
  if (intervals.empty()) return;
  Table table({"ONLINE FROM", "UNTIL", "ENDED BY"});
  for (const json::Value& interval : intervals) {
    table.Add({TimeField(interval, "online_from"), TimeField(interval, "online_until"),
               Field(interval, "reason")});
  }
  out << '\n';
  table.Write(out);
}

}  // namespace

http_client::Query ConnectionFilter::ToQuery() const {
  http_client::Query query = Filters({{"state", state},
                                      {"tenant", tenant},
                                      {"client_id_prefix", client_id_prefix},
                                      {"dispatcher", dispatcher},
                                      {"seen_before", seen_before}});
  for (const std::string& tag : tags) query.emplace_back("tag", tag);
  return query;
}

Result<ExitCode> ListConnections(const ListOptions& options, const Console& console) {
  auto api = Api::Open(options.api);
  if (!api) return std::move(api).error();
  return options.watch_s > 0 ? Watch(*api, options, console) : ListOnce(*api, options, console);
}

Result<ExitCode> ShowConnection(const ShowOptions& options, const Console& console) {
  auto api = Api::Open(options.api);
  if (!api) return std::move(api).error();
  auto connection = api->Get({"v1", "connections", options.client_id});
  if (!connection) return std::move(connection).error();
  json::Value intervals;
  if (options.intervals > 0) {
    auto page = api->Get({"v1", "connections", options.client_id, "intervals"},
                         {{"limit", std::to_string(options.intervals)}});
    if (!page) return std::move(page).error();
    intervals = *std::move(page);
  }
  if (console.json) {
    console.out << json::WriteIndented(
                       {{"connection", *connection}, {"intervals", ListField(intervals, "items")}})
                << '\n';
  } else {
    ShowFields(*connection, console.out);
    ShowIntervals(intervals, console.out);
  }
  return ExitCode::kOk;
}

}  // namespace heliograph::ctl
