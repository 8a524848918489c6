// The operator's command line: `heliograph`.
#pragma once

#include <string>
#include <vector>

#include "ctl/console.h"

namespace heliograph::ctl {

// Parses `arguments` (without the program's name), runs the command, tells what went wrong on
// `console.err`. Returns the process's exit code; never throws. A --json among the arguments sets
// console.json.
int Run(const std::vector<std::string>& arguments, Console console);

}  // namespace heliograph::ctl
