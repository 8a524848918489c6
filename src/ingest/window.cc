#include "ingest/window.h"

#include "ingest/invariant.h"

namespace heliograph::ingest {

std::string_view WindowEndName(WindowEnd end) {
  switch (end) {
    case WindowEnd::kMessages:
      return "messages";
    case WindowEnd::kBytes:
      return "bytes";
    case WindowEnd::kAge:
      return "age";
    case WindowEnd::kConfirmed:
      return "confirmed";
  }
  return "confirmed";
}

void Window::Hold(std::size_t bytes, base::SteadyTime now) {
  if (held_ == 0) opened_at_ = now;
  ++held_;
  bytes_ += bytes;
}

void Window::Reported(bool delivered) {
  Invariant(outstanding_ > 0, "Kafka reported on a record that was not outstanding");
  --outstanding_;
  if (!delivered) failed_ = true;
}

std::optional<WindowEnd> Window::ShouldClose(base::SteadyTime now) const {
  if (held_ == 0) return std::nullopt;
  if (held_ >= limits_.max_messages) return WindowEnd::kMessages;
  if (bytes_ >= limits_.max_bytes) return WindowEnd::kBytes;
  if (now - opened_at_ >= limits_.max_age) return WindowEnd::kAge;
  return std::nullopt;
}

void Window::Close(base::SteadyTime now) {
  if (!closed_at_) closed_at_ = now;
}

bool Window::Overdue(base::SteadyTime now) const {
  return closed_at_ && outstanding_ > 0 && now - *closed_at_ >= limits_.confirm;
}

void Window::Abandon() {
  if (outstanding_ > 0) failed_ = true;
  outstanding_ = 0;
}

void Window::Reset() {
  Invariant(outstanding_ == 0, "a window ended while Kafka had not reported on all of it");
  held_ = 0;
  bytes_ = 0;
  failed_ = false;
  closed_at_.reset();
}

std::chrono::nanoseconds Window::Age(base::SteadyTime now) const {
  return held_ == 0 ? std::chrono::nanoseconds(0) : now - opened_at_;
}

}  // namespace heliograph::ingest
