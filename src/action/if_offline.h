// What becomes of a target whose device is offline when the action is accepted.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace heliograph::action {

enum class IfOffline : std::uint8_t {
  kFail,   // it ends as kOffline at once
  kQueue,  // it waits until the device is online, or the deadline
};

std::string_view IfOfflineName(IfOffline choice);  // "fail", "queue": in SQL and JSON
std::optional<IfOffline> ParseIfOffline(std::string_view name);

}  // namespace heliograph::action
