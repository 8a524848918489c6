#include <exception>
#include <iostream>

#include "app/admin.h"
#include "app/app.h"
#include "app/flags.h"
#include "app/settings.h"
#include "app/signals.h"
#include "log/log.h"

namespace heliograph::app {
namespace {

enum ExitCode : int { kWrongSettings = 2, kCouldNotStart = 3 };

struct Sections {
  LogConfig log;
  AdminConfig admin;
};

// Tells every mistake; true when there is none.
bool LoadSettings(const Arguments& arguments, const Flags& flags,
                  const config::BindFunction& bind) {
  const auto mistakes =
      config::Load({flags.config_file, arguments.program, config::ProcessEnvironment()}, bind);
  for (const std::string& mistake : mistakes) std::cerr << mistake << '\n';
  if (!mistakes.empty()) {
    std::cerr << arguments.program << ": " << mistakes.size()
              << (mistakes.size() == 1 ? " mistake" : " mistakes") << " in the settings"
              << std::endl;
  }
  return mistakes.empty();
}

int Serve(const Arguments& arguments, const Sections& sections,
          const std::function<int(Life&)>& run) {
  sections.log.Apply(arguments.program);
  const log::Logger log("app");
  try {
    Life life;
    const Signals signals([&life] { life.RequestStop(); });
    log.Info("starting", {{"version", HELIOGRAPH_VERSION}});
    const AdminEndpoint admin(sections.admin, life.health(), life.metrics());
    const int code = run(life);
    log.Info("ended", {{"code", code}});
    return code;
  } catch (const std::exception& error) {
    log.Error("could not start", {{"reason", error.what()}});
  } catch (...) {
    log.Error("could not start", {{"reason", "an exception of unknown type"}});
  }
  return kCouldNotStart;
}

}  // namespace

int RunMain(const Arguments& arguments, const config::BindFunction& bind,
            const std::function<int(Life&)>& run) {
  const auto parsed = ParseFlags(arguments);
  if (const int* code = std::get_if<int>(&parsed)) return *code;
  const Flags& flags = std::get<Flags>(parsed);

  Sections sections;
  sections.admin.port = arguments.admin_port;
  const config::BindFunction bind_all = [&](config::Binder& binder) {
    bind(binder);
    binder.Section(sections.log, "log", "What is written to standard error.");
    binder.Section(sections.admin, "admin", "Health and metrics, on a port of their own.");
  };
  if (flags.task == Task::kPrintDefaultConfig) {
    std::cout << config::WriteCommentedYaml(bind_all) << std::flush;
    return 0;
  }
  if (flags.task == Task::kPrintReference) {
    std::cout << config::WriteReference(arguments.program, bind_all) << std::flush;
    return 0;
  }
  if (!LoadSettings(arguments, flags, bind_all)) return kWrongSettings;
  if (flags.task == Task::kPrintConfig) std::cout << config::Print(bind_all) << std::flush;
  if (flags.task == Task::kCheckConfig) std::cout << "the settings are valid" << std::endl;
  if (flags.task != Task::kRun) return 0;
  return Serve(arguments, sections, run);
}

}  // namespace heliograph::app
