#include <CLI/CLI.hpp>
#include <memory>

#include "ctl/actions.h"
#include "ctl/command.h"
#include "ctl/watch.h"

namespace heliograph::ctl {
namespace {

void AddList(CLI::App& group, Chosen& chosen) {
  CLI::App* command = group.add_subcommand("list", "The actions that match, the newest first");
  auto options = std::make_shared<ListActionsOptions>();
  ActionFilter& filter = options->filter;
  command->add_option("--tenant", filter.tenant, "Of one tenant (operators only)");
  command->add_option("--requested-by", filter.requested_by, "Of one caller");
  command->add_option("--directive,-d", filter.directive, "For one handler");
  command->add_option("--status", filter.status, "That stand so")
      ->check(CLI::IsMember({"scheduled", "running", "paused", "ended", "aborted", "cancelled"}));
  command->add_option("--from", filter.created_from, "Accepted then or later (RFC 3339)");
  command->add_option("--before", filter.created_before, "Accepted earlier (RFC 3339)");
  options->paging.Declare(*command);
  options->api.Declare(*command);
  command->callback([options, &chosen] {
    chosen.peer = Peer::kApi;
    chosen.run = [options](const Console& console) { return ListActions(*options, console); };
  });
}

using Run = base::Result<ExitCode> (*)(const ActionOptions&, const Console&);

void AddOne(CLI::App& group, Chosen& chosen, const char* name, const char* words, Run run) {
  CLI::App* command = group.add_subcommand(name, words);
  auto options = std::make_shared<ActionOptions>();
  command->add_option("ACTION_ID", options->action_id, "Which")->required();
  options->api.Declare(*command);
  command->callback([options, run, &chosen] {
    chosen.peer = Peer::kApi;
    chosen.run = [options, run](const Console& console) { return run(*options, console); };
  });
}

void AddWatch(CLI::App& group, Chosen& chosen) {
  CLI::App* command = group.add_subcommand("watch", "How far it is, until every target has ended");
  auto options = std::make_shared<WatchOptions>();
  command->add_option("ACTION_ID", options->action_id, "Which")->required();
  command->add_option("--interval", options->interval_s, "Seconds between two looks")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  options->api.Declare(*command);
  command->callback([options, &chosen] {
    chosen.peer = Peer::kApi;
    chosen.run = [options](const Console& console) { return WatchAction(*options, console); };
  });
}

}  // namespace

void AddActions(CLI::App& app, Chosen& chosen) {
  CLI::App* group = app.add_subcommand("action", "Actions, and what became of them");
  group->require_subcommand(1);
  group->fallthrough();
  AddSend(*group, chosen);
  AddList(*group, chosen);
  AddOne(*group, chosen, "show", "One action: its targets and their results", ShowAction);
  AddWatch(*group, chosen);
  AddOne(*group, chosen, "cancel", "Ends every target that is still open", CancelAction);
  AddOne(*group, chosen, "pause", "Publishes nothing more of it until it is resumed", PauseAction);
  AddOne(*group, chosen, "resume", "Goes on with what was paused", ResumeAction);
}

}  // namespace heliograph::ctl
