#include <CLI/CLI.hpp>
#include <memory>

#include "ctl/command.h"
#include "ctl/events.h"

namespace heliograph::ctl {

void AddEvents(CLI::App& app, Chosen& chosen) {
  CLI::App* group = app.add_subcommand("events", "What changes, while it happens");
  group->require_subcommand(1);
  group->fallthrough();
  CLI::App* command = group->add_subcommand(
      "watch", "A line for each event, for ever; after an outage it goes on where it was");
  auto options = std::make_shared<WatchEventsOptions>();
  command
      ->add_option("--type", options->types,
                   "Of this type only: action.target, action.ended, connection.online, "
                   "connection.offline, connection.changed; may be given again")
      ->expected(1)
      ->take_all();
  command->add_option("--client-id-prefix", options->client_id_prefix,
                      "Of devices whose id begins so");
  command->add_option("--group", options->group, "Of the devices of a group");
  command->add_option("--action", options->action_id, "Of one action");
  command->add_option("--since-id", options->since_id,
                      "Begin after the event with this id, the last word of its line");
  options->api.Declare(*command);
  command->callback([options, &chosen] {
    chosen.peer = Peer::kApi;
    chosen.run = [options](const Console& console) { return WatchEvents(*options, console); };
  });
}

}  // namespace heliograph::ctl
