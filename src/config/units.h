// The unit that ends a key: "linger_ms", "keepalive_s", "retention_h".
#pragma once

#include <chrono>
#include <string_view>

namespace heliograph::config {

// Throws std::logic_error for a key without a unit: a mistake in a declaration, found by the first
// test that binds it.
std::chrono::milliseconds UnitOf(std::string_view key);

}  // namespace heliograph::config
