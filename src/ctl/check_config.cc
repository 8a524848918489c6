#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include "ctl/command.h"

namespace heliograph::ctl {
namespace {

struct Options {
  std::string program;
  std::string file;
};

constexpr std::string_view kPrefix = "heliograph-";

// The daemon beside this program, where packages and builds put it; else one in PATH.
std::string Find(const std::string& name) {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::filesystem::path beside = self.parent_path() / name;
  return !error && ::access(beside.c_str(), X_OK) == 0 ? beside.string() : name;
}

// The daemon checks: it alone knows its settings, and one that differs in version would judge
// differently.
base::Result<ExitCode> CheckConfig(const Options& options) {
  std::string name = options.program;
  if (!name.starts_with(kPrefix)) name = std::string(kPrefix) + name;
  std::string program = Find(name);
  std::string check = "--check-config";
  std::string config = "--config";
  std::string file = options.file;
  const std::array<char*, 5> arguments{program.data(), check.data(), config.data(), file.data(),
                                       nullptr};
  ::execvp(program.c_str(), arguments.data());
  return base::MakeError(base::ErrorCode::kNotFound,
                         name + " cannot be run: " + std::strerror(errno) +
                             "; it is looked for beside this program, then in PATH");
}

}  // namespace

void AddCheckConfig(CLI::App& app, Chosen& chosen) {
  CLI::App* command = app.add_subcommand(
      "check-config",
      "Check a daemon's configuration file, by the daemon itself; nothing is started");
  auto options = std::make_shared<Options>();
  command->add_option("PROGRAM", options->program, "ingest, recorder or api")
      ->required()
      ->check(CLI::IsMember({"ingest", "recorder", "api", "heliograph-ingest",
                             "heliograph-recorder", "heliograph-api"}));
  command->add_option("FILE", options->file, "The YAML file")->required();
  command->callback([options, &chosen] {
    chosen.run = [options](const Console&) { return CheckConfig(*options); };
  });
}

}  // namespace heliograph::ctl
