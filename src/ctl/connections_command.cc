#include <CLI/CLI.hpp>
#include <memory>

#include "ctl/command.h"
#include "ctl/connections.h"

namespace heliograph::ctl {
namespace {

void AddList(CLI::App& group, Chosen& chosen) {
  CLI::App* command = group.add_subcommand("list", "The connections that match, by client id");
  auto options = std::make_shared<ListOptions>();
  ConnectionFilter& filter = options->filter;
  command->add_option("--state", filter.state, "online, offline or unknown");
  command->add_option("--tenant", filter.tenant, "Of one tenant (operators only)");
  command->add_option("--prefix", filter.client_id_prefix, "Client ids that begin so");
  command->add_option("--tag", filter.tags, "KEY:VALUE; may be given again")
      ->expected(1)
      ->take_all();
  command->add_option("--dispatcher", filter.dispatcher, "That have this dispatcher");
  command->add_option("--seen-before", filter.seen_before, "Last seen before this time (RFC 3339)");
  options->paging.Declare(*command);
  command->add_option("--watch", options->watch_s, "Redraw every so many seconds")
      ->check(CLI::Range(0.2, 3600.0));
  options->api.Declare(*command);
  command->callback([options, &chosen] {
    chosen.peer = Peer::kApi;
    chosen.run = [options](const Console& console) { return ListConnections(*options, console); };
  });
}

void AddShow(CLI::App& group, Chosen& chosen) {
  CLI::App* command = group.add_subcommand("show", "One connection: state, facts, stays online");
  auto options = std::make_shared<ShowOptions>();
  command->add_option("CLIENT_ID", options->client_id, "Whose")->required();
  command->add_option("--intervals", options->intervals, "So many of its last stays online")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  options->api.Declare(*command);
  command->callback([options, &chosen] {
    chosen.peer = Peer::kApi;
    chosen.run = [options](const Console& console) { return ShowConnection(*options, console); };
  });
}

}  // namespace

void AddConnections(CLI::App& app, Chosen& chosen) {
  CLI::App* group = app.add_subcommand("connections", "Who is online, since when, and why not");
  group->require_subcommand(1);
  group->fallthrough();
  AddList(*group, chosen);
  AddShow(*group, chosen);
}

}  // namespace heliograph::ctl
