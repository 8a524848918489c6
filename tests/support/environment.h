// The servers that the harness started, from its environment variables.
#pragma once

#include <cstdlib>
#include <iostream>
#include <string>

namespace heliograph::support {

// The variable's value. A test without its servers fails, with a sentence: it neither skips nor
// passes.
inline std::string Need(const char* variable) {
  const char* value = std::getenv(variable);
  if (value != nullptr && *value != '\0') return value;
  std::cerr << variable << " is not set: this test needs real servers, see ./dev servers\n";
  std::exit(1);
}

}  // namespace heliograph::support
