// What a device answers to an action. docs/PROTOCOL.md, "Data messages". Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <variant>

#include "action/ids.h"
#include "action/target_status.h"
#include "device/data_message.h"
#include "device/dead_letter.h"

namespace heliograph::action {

inline constexpr std::size_t kLargestResult =
    256 * 1024;  // bytes of content and metadata, as compact JSON
inline constexpr std::size_t kLongestReason = 1024;  // bytes; what is longer is cut

struct Report {
  ActionId action_id;
  TargetEvent event = TargetEvent::kSucceeded;  // one of the device's
  std::string reason;                           // why it failed; "" = none given
  std::optional<int> progress;                  // 0 to 100, while running
  std::string note;                             // while running
  std::string content = "null";                 // compact JSON without U+0000
  std::string metadata = "null";                // an object of strings, or null
};

// Precondition: message.response_to is not empty. unknown_action where that is no action's id;
// bad_field for a status or progress that is none; result_too_large.
std::variant<Report, device::Unacceptable> ParseReport(const device::DataMessage& message);

}  // namespace heliograph::action
