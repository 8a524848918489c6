#include "http/stream_text.h"

#include <array>
#include <charconv>

namespace heliograph::http {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

}  // namespace

// A chunk of no bytes would be the last one.
StreamText::StreamText(std::string_view text) {
  if (text.empty()) return;
  std::array<char, 16> size{};
  const char* const size_end =
      std::to_chars(size.data(), size.data() + size.size(), text.size(), 16).ptr;
  const std::string_view digits(size.data(), static_cast<std::size_t>(size_end - size.data()));
  Framed framed;
  framed.text_begins = digits.size() + kLineEnd.size();
  framed.text_bytes = text.size();
  framed.chunk.reserve(framed.text_begins + text.size() + kLineEnd.size());
  framed.chunk.append(digits).append(kLineEnd).append(text).append(kLineEnd);
  framed_ = std::make_shared<const Framed>(std::move(framed));
}

std::string_view StreamText::text() const {
  if (!framed_) return {};
  return std::string_view(framed_->chunk).substr(framed_->text_begins, framed_->text_bytes);
}

std::string_view StreamText::chunk() const {
  if (!framed_) return {};
  return framed_->chunk;
}

}  // namespace heliograph::http
