#include "ctl/webhooks.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "ctl/command.h"

namespace heliograph::ctl {
namespace {

// A command on one webhook that `run` carries out.
template <class Run>
void AddOne(CLI::App& group, Chosen& chosen, const char* name, const char* help, Run run) {
  CLI::App* command = group.add_subcommand(name, help);
  auto options = std::make_shared<WebhookOptions>();
  command->add_option("NAME", options->name, "Which")->required();
  options->api.Declare(*command);
  command->callback([options, run, &chosen] {
    chosen.peer = Peer::kApi;
    chosen.run = [options, run](const Console& console) { return run(*options, console); };
  });
}

void AddList(CLI::App& group, Chosen& chosen) {
  CLI::App* command = group.add_subcommand("list", "The webhooks of the caller's tenant, by name");
  auto options = std::make_shared<ListWebhooksOptions>();
  options->paging.Declare(*command);
  options->api.Declare(*command);
  command->callback([options, &chosen] {
    chosen.peer = Peer::kApi;
    chosen.run = [options](const Console& console) { return ListWebhooks(*options, console); };
  });
}

void DeclareFilters(CLI::App& command, PutWebhookOptions& options) {
  command.add_option("--type", options.types, "Only events of this type; may stand more than once")
      ->expected(1)
      ->take_all();
  command.add_option("--client-id-prefix", options.client_id_prefix,
                     "Only of devices whose client id begins so");
  command.add_option("--action", options.action_id, "Only of this action");
  command.add_option("--secret-file", options.secret_file,
                     "The secret that signs: whsec_ and base64");
}

void AddCreate(CLI::App& group, Chosen& chosen) {
  CLI::App* command = group.add_subcommand(
      "create", "Have events sent to a receiver; a secret that is not given is made and shown");
  auto options = std::make_shared<PutWebhookOptions>();
  command->add_option("NAME", options->webhook.name, "What it is called")->required();
  command->add_option("--url", options->url, "Where events are posted to")->required();
  DeclareFilters(*command, *options);
  options->webhook.api.Declare(*command);
  command->callback([options, &chosen] {
    chosen.peer = Peer::kApi;
    chosen.run = [options](const Console& console) { return CreateWebhook(*options, console); };
  });
}

void AddUpdate(CLI::App& group, Chosen& chosen) {
  CLI::App* command = group.add_subcommand("update", "Change what is given");
  auto options = std::make_shared<PutWebhookOptions>();
  command->add_option("NAME", options->webhook.name, "Which")->required();
  command->add_option("--url", options->url, "Where events are posted to");
  DeclareFilters(*command, *options);
  command->add_flag("--all", options->all, "All events again, but for the filters given here");
  command->add_flag("--new-secret", options->new_secret,
                    "Make another secret, and show it; the one before signs too for 24 hours");
  options->webhook.api.Declare(*command);
  command->callback([options, &chosen] {
    chosen.peer = Peer::kApi;
    chosen.run = [options](const Console& console) { return UpdateWebhook(*options, console); };
  });
}

}  // namespace

void AddWebhooks(CLI::App& app, Chosen& chosen) {
  CLI::App* group = app.add_subcommand("webhooks", "Events, sent to receivers");
  group->require_subcommand(1);
  group->fallthrough();
  AddList(*group, chosen);
  AddOne(*group, chosen, "show", "A webhook, and how it fares", ShowWebhook);
  AddCreate(*group, chosen);
  AddUpdate(*group, chosen);
  AddOne(*group, chosen, "delete", "Forget a webhook", DeleteWebhook);
  AddOne(*group, chosen, "test", "Have a test event sent, once",
         [](const WebhookOptions& options, const Console& console) {
           return DoWithWebhook(options, "test", console);
         });
  AddOne(*group, chosen, "enable", "Go on where it stopped",
         [](const WebhookOptions& options, const Console& console) {
           return DoWithWebhook(options, "enable", console);
         });
}

}  // namespace heliograph::ctl
