// Thrown while a program starts, never while it runs: it cannot begin its work, and says why in one
// sentence.
#pragma once

#include <stdexcept>

namespace heliograph::base {

class StartupError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace heliograph::base
