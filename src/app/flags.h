// A daemon's command line.
#pragma once

#include <string>
#include <variant>

#include "app/app.h"

namespace heliograph::app {

enum class Task { kRun, kCheckConfig, kPrintConfig, kPrintDefaultConfig, kPrintReference };

struct Flags {
  Task task = Task::kRun;
  std::string config_file;  // "" = none
};

// Flags, or the exit code with which the process ends now: --help, --version and mistakes have been
// printed.
std::variant<Flags, int> ParseFlags(const Arguments& arguments);

}  // namespace heliograph::app
