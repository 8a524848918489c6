#include "app/settings.h"

#include <unistd.h>

#include "log/log.h"

namespace heliograph::app {
namespace {

log::Level LevelNamed(std::string_view name) {
  if (name == "debug") return log::Level::kDebug;
  if (name == "warn") return log::Level::kWarn;
  if (name == "error") return log::Level::kError;
  return log::Level::kInfo;
}

}  // namespace

void LogConfig::Bind(config::Binder& binder) {
  binder.Choice(level, "level", {"debug", "info", "warn", "error"},
                "The least that is logged; debug has a line for each message.");
  binder.Choice(format, "format", {"auto", "text", "json"},
                "How lines look; auto is text on a terminal and JSON elsewhere.");
}

void LogConfig::Apply(std::string_view program) const {
  const bool text = format == "text" || (format == "auto" && ::isatty(STDERR_FILENO) == 1);
  log::SetUp(LevelNamed(level), text ? log::Format::kText : log::Format::kJson, program);
}

void AdminConfig::Bind(config::Binder& binder) {
  binder.String(host, "host", "Address of the endpoint with /livez, /readyz and /metrics.");
  binder.Integer(port, "port", {0, 65535}, "Its port; 0 takes any free one and logs it.");
}

}  // namespace heliograph::app
