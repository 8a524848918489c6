#include "http/event.h"

#include <algorithm>
#include <string>

namespace heliograph::http {
namespace {

constexpr std::string_view kLineEnds = "\r\n";

void AppendField(std::string& out, std::string_view name, std::string_view line) {
  // The space is the client's to remove: without it, one that the text begins with would be.
  out.append(name).append(": ").append(line).append("\n");
}

void AppendLines(std::string& out, std::string_view name, std::string_view text) {
  while (true) {
    const auto end = text.find_first_of(kLineEnds);
    AppendField(out, name, text.substr(0, end));
    if (end == std::string_view::npos) return;
    const bool two_bytes = text.substr(end, 2) == kLineEnds;
    text.remove_prefix(end + (two_bytes ? 2 : 1));
  }
}

bool IsOneLine(std::string_view text) {
  return text.find_first_of(kLineEnds) == std::string_view::npos;
}

}  // namespace

StreamText FormatEvent(const Event& event) {
  std::string out;
  out.reserve(event.data.size() + event.type.size() + 64);
  if (event.id && IsOneLine(*event.id) && event.id->find('\0') == std::string_view::npos) {
    AppendField(out, "id", *event.id);
  }
  if (!event.type.empty() && IsOneLine(event.type)) AppendField(out, "event", event.type);
  AppendLines(out, "data", event.data);
  out.append("\n");
  return StreamText(out);
}

StreamText FormatRetry(std::chrono::milliseconds wait) {
  const auto milliseconds = std::max(wait.count(), std::chrono::milliseconds::rep{0});
  return StreamText("retry: " + std::to_string(milliseconds) + "\n\n");
}

}  // namespace heliograph::http
