#include <CLI/CLI.hpp>

#include "ctl/command.h"
#include "json/json.h"

namespace heliograph::ctl {

void AddVersion(CLI::App& app, Chosen& chosen) {
  CLI::App* command = app.add_subcommand("version", "Which version this is");
  command->callback([&chosen] {
    chosen.run = [](const Console& console) -> base::Result<ExitCode> {
      if (console.json) {
        console.out << json::Write({{"version", HELIOGRAPH_VERSION}}) << '\n';
      } else {
        console.out << "heliograph " HELIOGRAPH_VERSION "\n";
      }
      return ExitCode::kOk;
    };
  });
}

}  // namespace heliograph::ctl
