// What a command is: options declared to the command line parser, and what to run when it was
// chosen.
#pragma once

#include <functional>

#include "base/result.h"
#include "ctl/console.h"
#include "ctl/exit_code.h"

namespace CLI {
class App;
}  // namespace CLI

namespace heliograph::ctl {

// The command that the command line chose.
struct Chosen {
  Peer peer = Peer::kNone;
  std::function<base::Result<ExitCode>(const Console&)> run;
};

// Each declares one command, or a group of them, below `app`; parsing sets `chosen`, which must
// outlive it.
void AddMigrate(CLI::App& app, Chosen& chosen);
void AddTopics(CLI::App& app, Chosen& chosen);
void AddConnections(CLI::App& app, Chosen& chosen);
void AddActions(CLI::App& app, Chosen& chosen);
void AddAudit(CLI::App& app, Chosen& chosen);
void AddDeadLetters(CLI::App& app, Chosen& chosen);
void AddEvents(CLI::App& app, Chosen& chosen);
void AddGroups(CLI::App& app, Chosen& chosen);
void AddWebhooks(CLI::App& app, Chosen& chosen);
void AddSend(CLI::App& app, Chosen& chosen);
void AddState(CLI::App& app, Chosen& chosen);
void AddCheckConfig(CLI::App& app, Chosen& chosen);
void AddVersion(CLI::App& app, Chosen& chosen);

}  // namespace heliograph::ctl
