// The database that the harness made for this program.
#pragma once

#include <cstdlib>
#include <stdexcept>

#include "postgres/connection.h"

namespace heliograph::postgres {

inline Config TestConfig() {
  const char* connection = std::getenv("HELIOGRAPH_TEST_POSTGRES");
  if (connection == nullptr) {
    throw std::runtime_error(
        "HELIOGRAPH_TEST_POSTGRES must hold the connection string of an empty database; ./dev test "
        "sets it");
  }
  Config config;
  config.connection = connection;
  return config;
}

inline Connection Connect(const Config& config = TestConfig()) {
  auto opened = Connection::Open(config, "test");
  if (!opened) throw std::runtime_error(opened.error().message);
  return *std::move(opened);
}

// The result, or the test ends here.
inline Rows Must(base::Result<Rows> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return *std::move(result);
}

}  // namespace heliograph::postgres
