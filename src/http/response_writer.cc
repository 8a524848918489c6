#include "http/response_writer.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "log/log.h"

namespace heliograph::http {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

bool IsTokenCharacter(char c) {
  const bool alphanumeric =
      (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return alphanumeric || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool IsSafeField(const std::string& name, const std::string& value) {
  return !name.empty() && std::all_of(name.begin(), name.end(), IsTokenCharacter) &&
         std::none_of(value.begin(), value.end(),
                      [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 0x7f; });
}

bool IsOurs(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  static constexpr std::string_view kOurs[] = {"date",       "content-length", "content-type",
                                               "connection", "x-request-id",   "transfer-encoding",
                                               "keep-alive"};
  return std::find(std::begin(kOurs), std::end(kOurs), name) != std::end(kOurs);
}

// A second has many answers; its text is made once for each thread.
std::string_view CurrentHttpDate() {
  thread_local std::chrono::sys_seconds written{};
  thread_local std::string text = FormatHttpDate(written);
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  if (now != written) {
    written = now;
    text = FormatHttpDate(now);
  }
  return text;
}

void AppendField(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string FormatHttpDate(std::chrono::sys_seconds time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  char text[40];
  const int length = std::snprintf(
      text, sizeof text, "%s, %02u %s %04d %02d:%02d:%02d GMT",
      kDays[std::chrono::weekday{day}.c_encoding()].data(), static_cast<unsigned>(date.day()),
      kMonths[static_cast<unsigned>(date.month()) - 1].data(), static_cast<int>(date.year()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()));
  return std::string(text, static_cast<std::size_t>(length));
}

bool IsSaneRequestId(std::string_view text) {
  return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), [](char c) {
    const bool alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return alphanumeric || c == '.' || c == '_' || c == ':' || c == '-';
  });
}

std::string WriteAnswer(const Response& response, const AnswerFrame& frame) {
  const bool streamed = response.stream != nullptr;
  const bool bodiless = response.status == 204 || response.status == 304 || response.status < 200;
  std::string out;
  out.reserve(256 + (bodiless || frame.head ? 0 : response.body.size()));
  out.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  out.append(ReasonPhrase(response.status)).append("\r\n");
  AppendField(out, "Date", CurrentHttpDate());
  AppendField(out, "X-Request-Id", frame.request_id);
  if (!bodiless) {
    if ((streamed || !response.body.empty()) &&
        IsSafeField("content-type", response.content_type)) {
      AppendField(out, "Content-Type", response.content_type);
    }
    if (!streamed) {
      AppendField(out, "Content-Length", std::to_string(response.body.size()));
    } else if (!frame.http_1_0 && !frame.head) {
      AppendField(out, "Transfer-Encoding", "chunked");
    }
  }
  for (const auto& [name, value] : response.headers) {
    if (IsOurs(name)) continue;
    if (IsSafeField(name, value)) {
      AppendField(out, name, value);
    } else {
      log::Logger("http").Error("a header field was left out: it would break the framing",
                                {{"name", name}});
    }
  }
  if (!frame.keep_alive) {
    AppendField(out, "Connection", "close");
  } else if (frame.http_1_0) {
    AppendField(out, "Connection", "keep-alive");
  }
  out.append("\r\n");
  if (!bodiless && !frame.head && !streamed) out.append(response.body);
  return out;
}

}  // namespace heliograph::http
