#include "owner/checksum.h"

#include <cstdint>

namespace heliograph::owner {

std::string Checksum(std::string_view content) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : content) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4)
    text += kDigits[hash >> static_cast<unsigned>(shift) & 15U];
  return text;
}

}  // namespace heliograph::owner
