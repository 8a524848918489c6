#include "base/utf8.h"

#include <cstdint>

namespace heliograph::base {
namespace {

struct Lead {
  std::size_t length = 0;   // of the sequence; 0 = none begins so
  std::uint32_t bits = 0;   // of the code point, as far as the first byte tells
  std::uint32_t least = 0;  // the smallest code point that may be written in that many bytes
};

Lead ReadLead(unsigned char first) {
  if (first < 0x80) return {1, first, 0};
  if (first >= 0xc2 && first < 0xe0) return {2, first & 0x1fU, 0x80};
  if (first >= 0xe0 && first < 0xf0) return {3, first & 0x0fU, 0x800};
  if (first >= 0xf0 && first < 0xf5) return {4, first & 0x07U, 0x10000};
  return {};
}

// The length of the valid sequence at the front; 0 = there is none.
std::size_t SequenceLength(std::string_view text) {
  const Lead lead = ReadLead(static_cast<unsigned char>(text.front()));
  if (lead.length == 0 || lead.length > text.size()) return 0;
  std::uint32_t code = lead.bits;
  for (std::size_t i = 1; i < lead.length; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xc0U) != 0x80) return 0;
    code = code << 6 | (next & 0x3fU);
  }
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  return code < lead.least || code > 0x10ffff || surrogate ? 0 : lead.length;
}

}  // namespace

std::size_t ValidUtf8Prefix(std::string_view text) {
  std::size_t valid = 0;
  while (valid < text.size()) {
    const std::size_t length = SequenceLength(text.substr(valid));
    if (length == 0) break;
    valid += length;
  }
  return valid;
}

}  // namespace heliograph::base
