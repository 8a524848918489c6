#include <CLI/CLI.hpp>
#include <memory>

#include "ctl/command.h"
#include "ctl/state.h"

namespace heliograph::ctl {

void AddState(CLI::App& app, Chosen& chosen) {
  CLI::App* group = app.add_subcommand("state", "Connection state and stays online");
  group->require_subcommand(1);
  group->fallthrough();
  CLI::App* command = group->add_subcommand(
      "rebuild",
      "Make them again from the log, beside the living ones, then put what differs in place");
  auto options = std::make_shared<RebuildStateOptions>();
  command->add_option("--topic", options->topic, "The log")->capture_default_str();
  command->add_option("--owners", options->owners,
                      "The owner rules (else connections keep their tenants)");
  command->add_option("--max-packet-bytes", options->max_packet_bytes, "As in ingest's settings")
      ->envname("HELIOGRAPH_MAX_PACKET_BYTES")
      ->check(CLI::Range(1024, 256 * 1024 * 1024))
      ->capture_default_str();
  options->kafka.Declare(*command);
  options->postgres.Declare(*command);
  command->callback([options, &chosen] {
    chosen.peer = Peer::kKafkaAndPostgres;
    chosen.run = [options](const Console& console) { return RebuildState(*options, console); };
  });
}

}  // namespace heliograph::ctl
