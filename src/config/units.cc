#include "config/units.h"

#include <stdexcept>
#include <string>

namespace heliograph::config {

std::chrono::milliseconds UnitOf(std::string_view key) {
  using namespace std::chrono_literals;
  if (key.ends_with("_ms")) return 1ms;
  if (key.ends_with("_s")) return 1s;
  if (key.ends_with("_h")) return 1h;
  throw std::logic_error("the setting '" + std::string(key) + "' holds a time but names no unit");
}

}  // namespace heliograph::config
