// Messages that a judge can follow from a device to Kafka: which device, channel and run sent it,
// its number there, and a checksum. They are envelopes as any other (an `event` on control, `data`
// on data), with one member more:
//
//   …,"number":{"run":"…","device":"solar-1","channel":"data","sequence":17},"pad":"xx","crc32":"0a1b2c3d"}
//
// `crc32` is the CRC-32 (IEEE 802.3, as zlib has it), 8 hexadecimal digits, of all bytes before
// `,"checksum"`. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "device/topic.h"

namespace heliograph::fleet {

struct Number {
  std::string run;
  std::string device;
  device::Channel channel = device::Channel::kData;
  std::uint64_t sequence = 0;  // from 1, without a gap, per run, device and channel
  friend bool operator==(const Number&, const Number&) = default;
};

// At least `bytes` long where the envelope leaves room for padding. The same arguments give the
// same bytes, so that what is sent again is what was sent.
std::string NumberedMessage(const Number& number, base::Timestamp sent, std::size_t bytes);

// Nothing when the message is not one, or its checksum is wrong.
std::optional<Number> ReadNumber(std::string_view message);

std::uint32_t Crc32(std::string_view bytes);

}  // namespace heliograph::fleet
