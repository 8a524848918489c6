// Options from a command line: `--name value`, `--name=value`, and `--name` alone for what is true
// or false.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "config/config.h"
#include "fleet/options.h"

namespace heliograph::fleet {

// What to print before ending, and the exit code.
struct Ending {
  int exit_code = 0;
  std::string text;
};

// Flags go before the environment (HELIOGRAPH_FLEET__NAME), which goes before the defaults. --help
// and --version end.
std::variant<Options, Ending> ParseFlags(const std::vector<std::string>& arguments,
                                         const config::Environment& environment);

}  // namespace heliograph::fleet
