#include <CLI/CLI.hpp>
#include <memory>

#include "ctl/command.h"
#include "ctl/migrate.h"

namespace heliograph::ctl {
namespace {

using Run = base::Result<ExitCode> (*)(const MigrateOptions&, const Console&);

CLI::App* Add(CLI::App& group, Chosen& chosen, const std::shared_ptr<MigrateOptions>& options,
              const char* name, const char* about, Run run) {
  CLI::App* command = group.add_subcommand(name, about);
  command->add_option("--migrations", options->folder, "The folder of the SQL files")
      ->capture_default_str();
  options->postgres.Declare(*command);
  command->callback([options, run, &chosen] {
    chosen.peer = Peer::kPostgres;
    chosen.run = [options, run](const Console& console) { return run(*options, console); };
  });
  return command;
}

}  // namespace

void AddMigrate(CLI::App& app, Chosen& chosen) {
  CLI::App* group =
      app.add_subcommand("migrate", "Bring the database's schema to this version, and back");
  group->require_subcommand(1);
  group->fallthrough();
  const auto options = std::make_shared<MigrateOptions>();
  Add(*group, chosen, options, "up", "Apply what is missing", &MigrateUp)
      ->add_option("--to", options->last, "Only up to this version")
      ->check(CLI::PositiveNumber);
  CLI::App* down =
      Add(*group, chosen, options, "down", "Take the newest back; deletes data", &MigrateDown);
  down->add_option("--count", options->count, "So many")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  down->add_flag("--yes", options->yes, "Yes, delete what its tables hold");
  Add(*group, chosen, options, "status", "What is applied, and what is missing", &MigrateStatus);
}

}  // namespace heliograph::ctl
