#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "ctl/command.h"
#include "ctl/groups.h"
#include "ctl/selector.h"

namespace heliograph::ctl {
namespace {

void AddList(CLI::App& group, Chosen& chosen) {
  CLI::App* command = group.add_subcommand("list", "The groups of the caller's tenant, by name");
  auto options = std::make_shared<ListGroupsOptions>();
  options->paging.Declare(*command);
  options->api.Declare(*command);
  command->callback([options, &chosen] {
    chosen.peer = Peer::kApi;
    chosen.run = [options](const Console& console) { return ListGroups(*options, console); };
  });
}

void AddShow(CLI::App& group, Chosen& chosen) {
  CLI::App* command = group.add_subcommand("show", "A group, and who is in it");
  auto options = std::make_shared<GroupOptions>();
  command->add_option("NAME", options->name, "Which")->required();
  options->api.Declare(*command);
  command->callback([options, &chosen] {
    chosen.peer = Peer::kApi;
    chosen.run = [options](const Console& console) { return ShowGroup(*options, console); };
  });
}

void AddSet(CLI::App& group, Chosen& chosen) {
  CLI::App* command =
      group.add_subcommand("set",
                           "Make a group, or put another in its place: client ids, or a "
                           "selector that is looked up whenever the group is used");
  auto options = std::make_shared<SetGroupOptions>();
  command->add_option("NAME", options->group.name, "Which")->required();
  command->add_option("CLIENT_ID", options->client_ids, "Who is in it");
  command->add_option("--file,-f", options->file,
                      "More client ids, one on each line, from a file or from - (stdin)");
  command->add_option("--selector", options->selector, kSelectorHelp)->expected(1)->take_all();
  options->group.api.Declare(*command);
  command->callback([options, &chosen] {
    chosen.peer = Peer::kApi;
    chosen.run = [options](const Console& console) {
      return SetGroup(*options, std::cin, console);
    };
  });
}

void AddDelete(CLI::App& group, Chosen& chosen) {
  CLI::App* command = group.add_subcommand("delete", "Forget a group; what was sent to it goes on");
  auto options = std::make_shared<GroupOptions>();
  command->add_option("NAME", options->name, "Which")->required();
  options->api.Declare(*command);
  command->callback([options, &chosen] {
    chosen.peer = Peer::kApi;
    chosen.run = [options](const Console& console) { return DeleteGroup(*options, console); };
  });
}

}  // namespace

void AddGroups(CLI::App& app, Chosen& chosen) {
  CLI::App* group = app.add_subcommand("groups", "Sets of devices that have a name");
  group->require_subcommand(1);
  group->fallthrough();
  AddList(*group, chosen);
  AddShow(*group, chosen);
  AddSet(*group, chosen);
  AddDelete(*group, chosen);
}

}  // namespace heliograph::ctl
