#include "fleet/numbered.h"

#include <array>
#include <cstdio>

#include "base/rfc3339.h"
#include "json/json.h"

namespace heliograph::fleet {
namespace {

constexpr std::string_view kChecksumMark = R"(,"crc32":")";

// Slicing by four: Intel, "A Systematic Approach to Building High Performance Software-based CRC
// Generators", 2005.
using Tables = std::array<std::array<std::uint32_t, 256>, 4>;

constexpr Tables MakeTables() {
  Tables tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0xedb88320U : 0U);
    tables[0][i] = value;
  }
  for (std::uint32_t i = 0; i < 256; ++i) {
    for (std::size_t t = 1; t < 4; ++t) {
      tables[t][i] = (tables[t - 1][i] >> 8) ^ tables[0][tables[t - 1][i] & 0xff];
    }
  }
  return tables;
}

constexpr Tables kTables = MakeTables();

std::string Hexadecimal(std::uint32_t value) {
  char text[9];
  std::snprintf(text, sizeof text, "%08x", value);
  return text;
}

// As short as an envelope can be, so that padding decides the size from 200 bytes on.
std::string Head(device::Channel channel, base::Timestamp sent) {
  const bool control = channel == device::Channel::kControl;
  return (control ? R"({"type":"event","version":1,"sent":")"
                  : R"({"type":"data","version":1,"sent":")") +
         base::FormatRfc3339(sent) +
         (control ? R"(","content":"number")" : R"(","directive":"number")");
}

}  // namespace

std::uint32_t Crc32(std::string_view bytes) {
  std::uint32_t crc = 0xffffffffU;
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  std::size_t left = bytes.size();
  for (; left >= 4; left -= 4, at += 4) {
    crc ^= static_cast<std::uint32_t>(at[0]) | static_cast<std::uint32_t>(at[1]) << 8 |
           static_cast<std::uint32_t>(at[2]) << 16 | static_cast<std::uint32_t>(at[3]) << 24;
    crc = kTables[3][crc & 0xff] ^ kTables[2][crc >> 8 & 0xff] ^ kTables[1][crc >> 16 & 0xff] ^
          kTables[0][crc >> 24];
  }
  for (; left > 0; --left, ++at) crc = (crc >> 8) ^ kTables[0][(crc ^ *at) & 0xff];
  return ~crc;
}

std::string NumberedMessage(const Number& number, base::Timestamp sent, std::size_t bytes) {
  std::string message = Head(number.channel, sent);
  message.append(R"(,"number":{"run":)");
  json::AppendString(message, number.run);
  message.append(R"(,"device":)");
  json::AppendString(message, number.device);
  message.append(R"(,"channel":")").append(device::ChannelName(number.channel));
  message.append(R"(","sequence":)").append(std::to_string(number.sequence)).append(R"(},"pad":")");
  constexpr std::size_t kTail = 1 + kChecksumMark.size() + 8 + 2;
  if (message.size() + kTail < bytes) message.append(bytes - message.size() - kTail, 'x');
  message.append("\"");
  const std::uint32_t checksum = Crc32(message);
  return message.append(kChecksumMark).append(Hexadecimal(checksum)).append("\"}");
}

std::optional<Number> ReadNumber(std::string_view message) {
  const auto mark = message.rfind(kChecksumMark);
  if (mark == std::string_view::npos) return std::nullopt;
  if (message.substr(mark + kChecksumMark.size()) !=
      Hexadecimal(Crc32(message.substr(0, mark))) + "\"}") {
    return std::nullopt;
  }
  auto parsed = json::Parse(message);
  if (!parsed || !parsed->contains("number")) return std::nullopt;
  const json::Value& numbered = (*parsed)["number"];
  const bool control =
      numbered.value("channel", "") == device::ChannelName(device::Channel::kControl);
  return Number{numbered.value("run", ""), numbered.value("device", ""),
                control ? device::Channel::kControl : device::Channel::kData,
                numbered.value("sequence", std::uint64_t{0})};
}

}  // namespace heliograph::fleet
