#include "app/flags.h"

#include <CLI/CLI.hpp>
#include <iostream>

namespace heliograph::app {

std::variant<Flags, int> ParseFlags(const Arguments& arguments) {
  constexpr int kWrongFlags = 2;
  Flags flags;
  CLI::App parser(arguments.program +
                      ": settings come from the file, each may be overridden by the environment",
                  arguments.program);
  parser.set_version_flag("--version", arguments.program + " " HELIOGRAPH_VERSION);
  parser.add_option("--config", flags.config_file, "YAML file with settings; without it, defaults")
      ->type_name("FILE");
  auto* tasks = parser.add_option_group("instead of running");
  tasks->require_option(0, 1);
  const auto task = [&](const char* flag, Task value, const char* help) {
    tasks->add_flag_callback(flag, [&flags, value] { flags.task = value; }, help);
  };
  task("--check-config", Task::kCheckConfig,
       "read the settings, tell every mistake, exit with 0 or 2");
  task("--print-config", Task::kPrintConfig, "print the settings in effect; secrets show as ***");
  task("--print-default-config", Task::kPrintDefaultConfig,
       "print every setting with its default and meaning, as YAML");
  task("--print-reference", Task::kPrintReference, "print every setting as a Markdown table");
  try {
    parser.parse(arguments.argc, arguments.argv);
  } catch (const CLI::ParseError& error) {
    return parser.exit(error, std::cout, std::cerr) == 0 ? 0 : kWrongFlags;
  }
  return flags;
}

}  // namespace heliograph::app
