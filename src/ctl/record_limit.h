// How large a Kafka record may be, so that whatever the broker lets in fits. Pure.
#pragma once

#include <cstddef>
#include <cstdint>

namespace heliograph::ctl {

// Beside its payload a record has a key, headers and its batch's own bytes.
inline std::size_t MaxRecordBytes(std::int64_t max_packet_bytes) {
  constexpr std::size_t kMargin = 64 * 1024;
  return static_cast<std::size_t>(max_packet_bytes) + kMargin;
}

}  // namespace heliograph::ctl
