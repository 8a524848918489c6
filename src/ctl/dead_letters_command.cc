#include <CLI/CLI.hpp>
#include <memory>

#include "ctl/command.h"
#include "ctl/dead_letters.h"

namespace heliograph::ctl {
namespace {

void AddList(CLI::App& group, Chosen& chosen) {
  CLI::App* command = group.add_subcommand("list", "Those that match, the newest first");
  auto options = std::make_shared<ListDeadLettersOptions>();
  DeadLetterFilter& filter = options->filter;
  command->add_option("--kind", filter.kind, "action or record");
  command->add_option("--state", filter.state, "open, replayed or discarded");
  command->add_option("--reason", filter.reason, "Why");
  command->add_option("--client-id", filter.client_id, "Of one device");
  command->add_option("--action", filter.action_id, "Of one action");
  command->add_option("--tenant", filter.tenant, "Of one tenant (operators only)");
  command->add_option("--from", filter.from, "Came then or later (RFC 3339)");
  command->add_option("--before", filter.before, "Came earlier (RFC 3339)");
  options->paging.Declare(*command);
  options->api.Declare(*command);
  command->callback([options, &chosen] {
    chosen.peer = Peer::kApi;
    chosen.run = [options](const Console& console) { return ListDeadLetters(*options, console); };
  });
}

void AddShow(CLI::App& group, Chosen& chosen) {
  CLI::App* command = group.add_subcommand("show", "One, with what a record said");
  auto options = std::make_shared<ShowDeadLetterOptions>();
  command->add_option("ID", options->id, "Which")->required();
  options->api.Declare(*command);
  command->callback([options, &chosen] {
    chosen.peer = Peer::kApi;
    chosen.run = [options](const Console& console) { return ShowDeadLetter(*options, console); };
  });
}

// What both have.
std::shared_ptr<DecideOptions> AddDecision(CLI::App& command) {
  auto options = std::make_shared<DecideOptions>();
  command.add_option("ID", options->ids, "Which");
  command.add_option("--action", options->action_id, "Instead: all open ones of this action");
  options->api.Declare(command);
  return options;
}

void AddReplay(CLI::App& group, Chosen& chosen) {
  CLI::App* command = group.add_subcommand("replay", "Tries targets again, each by a new action");
  const auto options = AddDecision(*command);
  command->add_option("--ttl", options->ttl_s, "Seconds until the deadline")
      ->check(CLI::Range(1, 30 * 24 * 3600));
  command->add_option("--if-offline", options->if_offline, "fail or queue (as before)")
      ->check(CLI::IsMember({"fail", "queue"}));
  command->callback([options, &chosen] {
    chosen.peer = Peer::kApi;
    chosen.run = [options](const Console& console) { return ReplayDeadLetters(*options, console); };
  });
}

void AddDiscard(CLI::App& group, Chosen& chosen) {
  CLI::App* command = group.add_subcommand("discard", "Nobody tries them again");
  const auto options = AddDecision(*command);
  command->add_option("--note", options->note, "Why; kept with them");
  command->callback([options, &chosen] {
    chosen.peer = Peer::kApi;
    chosen.run = [options](const Console& console) {
      return DiscardDeadLetters(*options, console);
    };
  });
}

}  // namespace

void AddDeadLetters(CLI::App& app, Chosen& chosen) {
  CLI::App* group = app.add_subcommand("dead-letters", "What could not be done, or read");
  group->require_subcommand(1);
  group->fallthrough();
  AddList(*group, chosen);
  AddShow(*group, chosen);
  AddReplay(*group, chosen);
  AddDiscard(*group, chosen);
}

}  // namespace heliograph::ctl
