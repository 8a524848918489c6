#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "ctl/command.h"
#include "ctl/selector.h"
#include "ctl/send.h"

namespace heliograph::ctl {
namespace {

void AddRollout(CLI::App& command, SendOptions& options) {
  command.add_option("--not-before", options.not_before, "Begin then (RFC 3339), not at once");
  command.add_option("--rate", options.rate_per_s, "Publish to so many targets a second at most")
      ->check(CLI::Range(1, 10'000));
  command
      .add_option("--max-in-flight", options.max_in_flight,
                  "Publish to so many at most that have not answered yet")
      ->check(CLI::Range(1, 1'000'000));
  auto* percent = command
                      .add_option("--abort-if-failed-percent", options.abort_failed_percent,
                                  "Cancel the rest when so many of those that have finished failed")
                      ->check(CLI::Range(1, 100));
  command
      .add_option("--abort-min-finished", options.abort_min_finished,
                  "But not before so many have finished (else 1)")
      ->check(CLI::Range(1, 1'000'000))
      ->needs(percent);
}

}  // namespace

void AddSend(CLI::App& app, Chosen& chosen) {
  CLI::App* command =
      app.add_subcommand("send", "Send an action to devices; --wait shows their answers");
  auto options = std::make_shared<SendOptions>();
  command->add_option("CLIENT_ID", options->client_ids, "To whom; one or more");
  command->add_option("--group", options->group, "To the devices of a group, instead");
  command
      ->add_option("--selector", options->selector,
                   std::string("To these devices, instead: ") + kSelectorHelp)
      ->expected(1)
      ->take_all();
  command->add_option("--exclude", options->exclude, "A client id to leave out; may be given again")
      ->expected(1)
      ->take_all();
  auto* dry_run =
      command->add_flag("--dry-run", options->dry_run, "Tell who would be reached; send nothing");
  command
      ->add_option(
          "--dry-run-id", options->dry_run_id,
          "Of a dry run: to exactly those devices, or to nobody where others are meant now")
      ->excludes(dry_run);
  command->add_option("--directive,-d", options->directive, "Which handler on the device it is for")
      ->required();
  auto* payload = command->add_option("--payload,-p", options->payload, "JSON; nothing = null");
  command
      ->add_option("--payload-file,-f", options->payload_file,
                   "Read it from a file, or from - (stdin)")
      ->excludes(payload);
  command->add_flag("--text", options->text, "The payload is not JSON: send it as a string");
  command->add_option("--metadata,-m", options->metadata, "NAME=VALUE; may be given again")
      ->expected(1)
      ->take_all();
  command->add_option("--idempotency-key", options->idempotency_key,
                      "Of an earlier try, so that it happens once (else a new one)");
  command
      ->add_option("--ttl", options->ttl_s,
                   "Seconds until the deadline, which ends it (else the API's)")
      ->check(CLI::Range(1, 30 * 24 * 3600));
  command
      ->add_option("--if-offline", options->if_offline,
                   "What becomes of targets that are offline: fail (at once), or queue until they "
                   "are online or the deadline")
      ->check(CLI::IsMember({"fail", "queue"}));
  AddRollout(*command, *options);
  command->add_option("--wait,-w", options->wait_s, "Wait so many seconds for every target to end")
      ->check(CLI::Range(0.0, 86400.0));
  options->api.Declare(*command);
  command->callback([options, &chosen] {
    chosen.peer = Peer::kApi;
    chosen.run = [options](const Console& console) { return Send(*options, std::cin, console); };
  });
}

}  // namespace heliograph::ctl
