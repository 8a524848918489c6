#include "ctl/program.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>

#include "ctl/command.h"
#include "log/log.h"

namespace heliograph::ctl {
namespace {

constexpr const char* kAbout =
    "Operates Heliograph: database and topics, connections, actions.\n"
    "Where things are comes from flags or from the environment (HELIOGRAPH_API_URL, "
    "HELIOGRAPH_POSTGRES,\n"
    "HELIOGRAPH_KAFKA); the API's token only from --token-file or HELIOGRAPH_TOKEN.";

void Declare(CLI::App& app, Chosen& chosen, Console& console, bool& verbose) {
  app.require_subcommand(1);
  app.fallthrough();  // so that --json may stand anywhere
  app.add_flag("--json", console.json, "Answer in JSON");
  app.add_flag("--verbose", verbose, "Also tell what the connections to servers report");
  app.footer(std::string(ExitCodeHelp()));
  AddMigrate(app, chosen);
  AddTopics(app, chosen);
  AddConnections(app, chosen);
  AddActions(app, chosen);
  AddDeadLetters(app, chosen);
  AddEvents(app, chosen);
  AddGroups(app, chosen);
  AddWebhooks(app, chosen);
  AddAudit(app, chosen);
  AddSend(app, chosen);
  AddState(app, chosen);
  AddCheckConfig(app, chosen);
  AddVersion(app, chosen);
}

// CLI11 wants the arguments in reverse.
std::vector<std::string> Reversed(const std::vector<std::string>& arguments) {
  return {arguments.rbegin(), arguments.rend()};
}

// CLI11 would only say that a command is missing.
bool NamesNoCommand(const CLI::App& app, const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments.front().starts_with('-')) return false;
  const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
  return std::none_of(commands.begin(), commands.end(), [&](const CLI::App* command) {
    return command->get_name() == arguments.front();
  });
}

int Tell(const Console& console, Peer peer, const base::Error& error) {
  console.err << "heliograph: " << Printable(error.message) << '\n';
  const std::string_view next = NextStep(peer, error.code);
  if (!next.empty()) console.err << next << '\n';
  return static_cast<int>(ExitCodeOf(error.code));
}

}  // namespace

int Run(const std::vector<std::string>& arguments, Console console) {
  Chosen chosen;
  bool verbose = false;
  try {
    CLI::App app(kAbout, "heliograph");
    Declare(app, chosen, console, verbose);
    if (NamesNoCommand(app, arguments)) {
      return Tell(
          console, Peer::kNone,
          base::MakeError(base::ErrorCode::kInvalidArgument,
                          "'" + arguments.front() + "' is not a command; --help lists them"));
    }
    try {
      app.parse(Reversed(arguments));
    } catch (const CLI::ParseError& error) {
      // Also how CLI11 asks for the help text, with code 0.
      const int code = app.exit(error, console.out, console.err);
      return static_cast<int>(code == 0 ? ExitCode::kOk : ExitCode::kUsage);
    }
    log::SetUp(verbose ? log::Level::kInfo : log::Level::kError, log::Format::kText, "heliograph");
    const auto result = chosen.run(console);
    console.out.flush();
    if (!result) return Tell(console, chosen.peer, result.error());
    return static_cast<int>(*result);
  } catch (const std::exception& error) {
    return Tell(console, chosen.peer, base::MakeError(base::ErrorCode::kInternal, error.what()));
  }
}

}  // namespace heliograph::ctl
