// How a device asks for a receipt, and what one looks like. Pure. Grammar: docs/PROTOCOL.md,
// "Receipts".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "device/topic.h"

namespace heliograph::fleet {

// A numbered message of this run.
struct Asked {
  device::Channel channel = device::Channel::kData;
  std::uint64_t sequence = 0;
  friend bool operator==(const Asked&, const Asked&) = default;
};

// "control:17:RUN"
std::string CorrelationOf(const Asked& asked, std::string_view run);
// Nothing for what is not ours, or of another run.
std::optional<Asked> ReadCorrelation(std::string_view data, std::string_view run);

// Whether a message on `control/in` says that Kafka has what its Correlation Data names.
bool IsReceipt(std::string_view payload);

}  // namespace heliograph::fleet
