#include "ctl/event_parser.h"

#include <charconv>
#include <cstdint>

namespace heliograph::ctl {

void EventParser::Take(std::string_view text) {
  // The server ends lines with LF alone.
  for (std::size_t end = text.find('\n'); end != text.npos; end = text.find('\n')) {
    line_.append(text.substr(0, end));
    text.remove_prefix(end + 1);
    if (line_.ends_with('\r')) line_.pop_back();
    line_.empty() ? Finish() : TakeLine(line_);
    line_.clear();
  }
  line_.append(text);
}

void EventParser::TakeLine(std::string_view line) {
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  std::string_view value = colon == line.npos ? "" : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "event") type_ = value;
  if (name == "data") data_.append(value).append("\n");
  if (name == "id" && value.find('\0') == value.npos) {
    id_ = value;
    has_id_ = true;
  }
  std::int64_t wait = 0;
  if (name != "retry") return;
  const auto [end, fault] = std::from_chars(value.data(), value.data() + value.size(), wait);
  if (fault == std::errc() && end == value.data() + value.size() && wait >= 0) {
    retry_ = std::chrono::milliseconds(wait);
  }
}

// An id counts also where there is no event; but only when it has come whole.
void EventParser::Finish() {
  if (has_id_) last_id_ = id_;
  has_id_ = false;
  if (!data_.empty()) {
    data_.pop_back();
    on_event_({last_id_, type_.empty() ? "message" : type_, data_});
  }
  type_.clear();
  data_.clear();
}

void EventParser::BeginAnew() {
  line_.clear();
  type_.clear();
  data_.clear();
  has_id_ = false;
}

}  // namespace heliograph::ctl
