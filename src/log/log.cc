#include "log/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <memory>

namespace heliograph::log {
namespace {

struct Output {
  std::shared_ptr<spdlog::logger> logger;
  Format format = Format::kText;
  std::string program = "heliograph";
};

// The process has one standard error, so it has one of these; SetUp replaces it before there are
// threads.
Output& TheOutput() {
  static Output output = [] {
    Output first;
    first.logger = spdlog::stderr_logger_mt("heliograph-early");
    first.logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    return first;
  }();
  return output;
}

spdlog::level::level_enum ToSpdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarn:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
    case Level::kOff:
      return spdlog::level::off;
  }
  return spdlog::level::info;
}

// Writes a JSON string; whatever is not printable ASCII or valid-looking UTF-8 lead bytes is
// escaped or kept as is.
void AppendJsonString(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7f) {
          char escaped[8];
          std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(c) & 0xffu);
          out += escaped;
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

bool NeedsQuotes(std::string_view text) {
  if (text.empty()) return true;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == '"' || c == '=' || c == '\\' || c == 0x7f)
      return true;
  }
  return false;
}

void AppendValue(std::string& out, const Value& value, Format format) {
  struct Visitor {
    std::string& out;
    Format format;
    void operator()(std::string_view text) const {
      if (format == Format::kJson || NeedsQuotes(text)) {
        AppendJsonString(out, text);
      } else {
        out += text;
      }
    }
    void operator()(std::int64_t number) const { out += std::to_string(number); }
    void operator()(double number) const {
      char text[32];
      std::snprintf(text, sizeof text, "%.6g", number);
      out += text;
    }
    void operator()(bool truth) const { out += truth ? "true" : "false"; }
  };
  std::visit(Visitor{out, format}, value.get());
}

std::string AsText(std::string_view component, std::string_view words, Fields fields,
                   std::uint64_t suppressed) {
  std::string line;
  line.append(component).append(": ").append(words);
  for (const Field& field : fields) {
    line.append(" ").append(field.name).append("=");
    AppendValue(line, field.value, Format::kText);
  }
  if (suppressed > 0) line.append(" suppressed=").append(std::to_string(suppressed));
  return line;
}

// The inner part of the object: the pattern writes time and level before it.
std::string AsJson(std::string_view component, std::string_view words, Fields fields,
                   std::uint64_t suppressed) {
  std::string line = "\"program\":";
  AppendJsonString(line, TheOutput().program);
  line += ",\"component\":";
  AppendJsonString(line, component);
  line += ",\"message\":";
  AppendJsonString(line, words);
  for (const Field& field : fields) {
    line += ',';
    AppendJsonString(line, field.name);
    line += ':';
    AppendValue(line, field.value, Format::kJson);
  }
  if (suppressed > 0) line.append(",\"suppressed\":").append(std::to_string(suppressed));
  return line;
}

}  // namespace

void SetUp(Level level, Format format, std::string_view program) {
  Output& output = TheOutput();
  output.program = program;
  output.format = format;
  spdlog::drop("heliograph");
  output.logger = spdlog::stderr_logger_mt("heliograph");
  output.logger->set_level(ToSpdlog(level));
  output.logger->flush_on(spdlog::level::debug);
  output.logger->set_pattern(format == Format::kJson
                                 ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                                 : "%Y-%m-%dT%H:%M:%S.%eZ %-7l %v",
                             spdlog::pattern_time_type::utc);
}

bool RateLimit::Pass(std::uint64_t& suppressed) {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  const std::int64_t now_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
  std::int64_t next = next_ns_.load(std::memory_order_relaxed);
  const std::int64_t after =
      now_ns + std::chrono::duration_cast<std::chrono::nanoseconds>(interval_).count();
  if (now_ns < next || !next_ns_.compare_exchange_strong(next, after)) {
    held_back_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  suppressed = held_back_.exchange(0, std::memory_order_relaxed);
  return true;
}

void Logger::Warn(RateLimit& limit, std::string_view words, Fields fields) const {
  std::uint64_t suppressed = 0;
  if (limit.Pass(suppressed)) Write(Level::kWarn, words, fields, suppressed);
}

void Logger::Error(RateLimit& limit, std::string_view words, Fields fields) const {
  std::uint64_t suppressed = 0;
  if (limit.Pass(suppressed)) Write(Level::kError, words, fields, suppressed);
}

void Logger::Write(Level level, std::string_view words, Fields fields,
                   std::uint64_t suppressed) const {
  const Output& output = TheOutput();
  const auto spdlog_level = ToSpdlog(level);
  if (!output.logger->should_log(spdlog_level)) return;
  const std::string line = output.format == Format::kJson
                               ? AsJson(component_, words, fields, suppressed)
                               : AsText(component_, words, fields, suppressed);
  output.logger->log(spdlog_level, spdlog::string_view_t(line));
}

}  // namespace heliograph::log
