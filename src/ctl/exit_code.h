// How the program ends, for scripts: the table that --help and docs/CTL.md show.
#pragma once

#include <string_view>

#include "base/error.h"

namespace heliograph::ctl {

enum class ExitCode {
  kOk = 0,           // done, and the answer is yes
  kNo = 1,           // done, and the answer is no; or it failed for good
  kUsage = 2,        // the command line, or what it names, is wrong
  kUnreachable = 3,  // a server did not answer: the same call may succeed later
  kNotAllowed = 4,   // the token is missing, unknown or not enough
};

ExitCode ExitCodeOf(base::ErrorCode code);

// The lines of --help that say what each code means.
std::string_view ExitCodeHelp();

// Which server a command talks to, so that an error can name the setting to look at.
enum class Peer { kNone, kApi, kPostgres, kKafka, kKafkaAndPostgres };

// What to do next about an error, as a sentence; empty where nothing general can be said.
std::string_view NextStep(Peer peer, base::ErrorCode code);

}  // namespace heliograph::ctl
