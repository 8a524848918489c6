#include <CLI/CLI.hpp>
#include <memory>

#include "ctl/command.h"
#include "ctl/topics.h"

namespace heliograph::ctl {
namespace {

using Run = base::Result<ExitCode> (*)(const TopicsOptions&, const Console&);

void Add(CLI::App& group, Chosen& chosen, const char* name, const char* about, Run run) {
  CLI::App* command = group.add_subcommand(name, about);
  auto options = std::make_shared<TopicsOptions>();
  command->add_option("--topic", options->topics, "NAME:PARTITIONS:REPLICAS; may be given again")
      ->expected(1)
      ->take_all()
      ->capture_default_str();
  command
      ->add_option("--keep", options->keep,
                   "The topic that is kept for ever, since the state is rebuilt from it")
      ->capture_default_str();
  command->add_option("--max-packet-bytes", options->max_packet_bytes, "As in ingest's settings")
      ->envname("HELIOGRAPH_MAX_PACKET_BYTES")
      ->check(CLI::Range(1024, 256 * 1024 * 1024))
      ->capture_default_str();
  command
      ->add_option("--timeout", options->timeout_s, "Seconds that one question to Kafka may take")
      ->check(CLI::Range(0.1, 600.0))
      ->capture_default_str();
  options->kafka.Declare(*command);
  command->callback([options, run, &chosen] {
    chosen.peer = Peer::kKafka;
    chosen.run = [options, run](const Console& console) { return run(*options, console); };
  });
}

}  // namespace

void AddTopics(CLI::App& app, Chosen& chosen) {
  CLI::App* group =
      app.add_subcommand("topics", "Kafka's topics: create what is missing, report what differs");
  group->require_subcommand(1);
  group->fallthrough();
  Add(*group, chosen, "apply", "Create missing topics; change none", &ApplyTopics);
  Add(*group, chosen, "check", "Only look", &CheckTopics);
}

}  // namespace heliograph::ctl
