#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "ctl/command.h"
#include "ctl/fields.h"
#include "ctl/listing.h"

namespace heliograph::ctl {
namespace {

struct ListAuditOptions {
  ApiOptions api;
  Paging paging;
  // Empty = not filtered. Sent as they are: the API knows what each may hold, and says so.
  std::string caller;
  std::string tenant;
  std::string action_id;
  std::string decision;
  std::string from;
  std::string before;
};

http_client::Query QueryOf(const ListAuditOptions& options) {
  return Filters({{"caller", options.caller},
                  {"tenant", options.tenant},
                  {"action_id", options.action_id},
                  {"decision", options.decision},
                  {"from", options.from},
                  {"before", options.before}});
}

base::Result<ExitCode> ListAudit(const ListAuditOptions& options, const Console& console) {
  auto api = Api::Open(options.api);
  if (!api) return std::move(api).error();
  const auto row_of = [](const json::Value& entry) -> std::vector<std::string> {
    return {TimeField(entry, "at"),   Field(entry, "caller"),  Field(entry, "tenant"),
            Field(entry, "address"),  Field(entry, "deed"),    Field(entry, "decision"),
            Field(entry, "reason"),   Field(entry, "targets"), Field(entry, "directive"),
            Field(entry, "action_id")};
  };
  return WriteListing(*api,
                      {{"v1", "audit"},
                       QueryOf(options),
                       {"AT", "CALLER", "TENANT", "ADDRESS", "DEED", "DECISION", "REASON",
                        "TARGETS", "DIRECTIVE", "ACTION ID"},
                       row_of},
                      options.paging, console);
}

}  // namespace

void AddAudit(CLI::App& app, Chosen& chosen) {
  CLI::App* group = app.add_subcommand("audit", "Who asked what of devices (operators only)");
  group->require_subcommand(1);
  group->fallthrough();
  CLI::App* command = group->add_subcommand("list", "Decisions about actions, the newest first");
  auto options = std::make_shared<ListAuditOptions>();
  command->add_option("--caller", options->caller, "Who asked");
  command->add_option("--tenant", options->tenant, "Of one tenant");
  command->add_option("--action", options->action_id, "About one action");
  command->add_option("--decision", options->decision, "accepted or refused");
  command->add_option("--from", options->from, "Decided then or later (RFC 3339)");
  command->add_option("--before", options->before, "Decided earlier (RFC 3339)");
  options->paging.Declare(*command);
  options->api.Declare(*command);
  command->callback([options, &chosen] {
    chosen.peer = Peer::kApi;
    chosen.run = [options](const Console& console) { return ListAudit(*options, console); };
  });
}

}  // namespace heliograph::ctl
