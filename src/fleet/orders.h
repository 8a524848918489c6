// What an operator or a test says to a running fleet: one line, one order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace heliograph::fleet {

struct Order {
  enum class Kind { kKill, kOffline, kOnline, kFlap, kRate, kStatus, kQuit };
  Kind kind = Kind::kStatus;
  std::string name;         // of devices: exact, or a beginning followed by *
  std::int64_t number = 0;  // of flap and rate
};

// "kill NAME", "offline NAME", "online NAME", "flap NAME N", "rate N", "status", "quit". Nothing
// when it is none of these.
std::optional<Order> ParseOrder(std::string_view line);

bool Names(const Order& order, std::string_view device);

}  // namespace heliograph::fleet
