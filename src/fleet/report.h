// What a fleet tells of itself: a line a second, a summary, and which numbers were acknowledged.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "fleet/counters.h"
#include "fleet/simulated_device.h"

namespace heliograph::fleet {

struct Totals {
  Counters counters;
  std::size_t devices = 0;
  std::size_t never_online = 0;
  std::uint64_t outstanding = 0;               // telemetry without an acknowledgement, or receipt
  std::optional<std::uint64_t> unreceipted{};  // where receipts are asked for
  double seconds = 0;
};

// "online 20/20  sent 1234 (+400)  acknowledged 1230 (+398)  …": `before` is a second older.
std::string ProgressLine(const Totals& now, const Counters& before);

std::string SummaryLine(const Totals& totals);
std::string SummaryJson(const Totals& totals);

// One line of JSON per device and channel: {"run", "device", "channel", "last", "acknowledged":
// [[first, last], …], "no_subscriber": […], "refused": […], "receipted": […]}. kUnavailable when
// the file cannot be written.
base::Status WriteAcks(const std::string& file, const std::string& run,
                       const std::vector<std::unique_ptr<SimulatedDevice>>& devices);

}  // namespace heliograph::fleet
