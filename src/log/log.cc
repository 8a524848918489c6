#include "log/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cmath>
#include <cstdio>
#include <memory>

#include "base/utf8.h"

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
    first.logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %v", spdlog::pattern_time_type::utc);
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

// C0 and C1 control characters: what a terminal could take for a command.
bool IsControl(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const bool c1 = first == 0xc2 && text.size() > 1 && static_cast<unsigned char>(text[1]) < 0xa0;
  return first < 0x20 || first == 0x7f || c1;
}

void AppendEscaped(std::string& out, unsigned code) {
  char escaped[8];
  std::snprintf(escaped, sizeof escaped, "\\u%04x", code);
  out += escaped;
}

// `text` is valid UTF-8.
void AppendJsonCharacters(std::string& out, std::string_view text) {
  for (; !text.empty(); text.remove_prefix(1)) {
    const char c = text.front();
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (IsControl(text)) {
      const bool c1 = static_cast<unsigned char>(c) == 0xc2;
      if (c1) text.remove_prefix(1);
      AppendEscaped(out, static_cast<unsigned char>(text.front()));
    } else {
      out += c;
    }
  }
}

// A JSON string. Bytes that are not UTF-8 become U+FFFD, so that a line is JSON whatever is in it.
void AppendJsonString(std::string& out, std::string_view text) {
  out += '"';
  for (;;) {
    const std::size_t valid = base::ValidUtf8Prefix(text);
    AppendJsonCharacters(out, text.substr(0, valid));
    if (valid == text.size()) break;
    out += "\xef\xbf\xbd";
    text.remove_prefix(valid + 1);
  }
  out += '"';
}

bool NeedsQuotes(std::string_view text) {
  if (text.empty()) return true;
  for (const char c : text) {
    const bool plain = c > ' ' && c < 0x7f && c != '"' && c != '=' && c != '\\';
    if (!plain) return true;
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
      if (!std::isfinite(number) && format == Format::kJson) {  // JSON has no word for it
        out += "null";
        return;
      }
      char text[32];
      std::snprintf(text, sizeof text, "%.6g", number);
      out += text;
    }
    void operator()(bool truth) const { out += truth ? "true" : "false"; }
  };
  std::visit(Visitor{out, format}, value.get());
}

std::string_view LevelWord(Level level) {
  switch (level) {
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarn:
      return "warn";
    case Level::kError:
      return "error";
    case Level::kOff:
      return "off";
  }
  return "info";
}

struct Event {
  Level level;
  std::string_view component;
  std::string_view words;
  Fields fields;
  std::uint64_t suppressed;
};

std::string AsText(const Event& event) {
  std::string line(LevelWord(event.level));
  line.resize(6, ' ');
  line.append(event.component).append(": ").append(event.words);
  for (const Field& field : event.fields) {
    line.append(" ").append(field.name).append("=");
    AppendValue(line, field.value, Format::kText);
  }
  if (event.suppressed > 0) line.append(" suppressed=").append(std::to_string(event.suppressed));
  return line;
}

// The inner part of the object: the pattern writes the time before it.
std::string AsJson(const Event& event) {
  std::string line = "\"level\":";
  AppendJsonString(line, LevelWord(event.level));
  line += ",\"program\":";
  AppendJsonString(line, TheOutput().program);
  line += ",\"component\":";
  AppendJsonString(line, event.component);
  line += ",\"message\":";
  AppendJsonString(line, event.words);
  for (const Field& field : event.fields) {
    line += ',';
    AppendJsonString(line, field.name);
    line += ':';
    AppendValue(line, field.value, Format::kJson);
  }
  if (event.suppressed > 0) {
    line.append(",\"suppressed\":").append(std::to_string(event.suppressed));
  }
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
  output.logger->set_pattern(format == Format::kJson ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ",%v})"
                                                     : "%Y-%m-%dT%H:%M:%S.%eZ %v",
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
  const Event event{level, component_, words, fields, suppressed};
  const std::string line = output.format == Format::kJson ? AsJson(event) : AsText(event);
  output.logger->log(spdlog_level, spdlog::string_view_t(line));
}

}  // namespace heliograph::log
