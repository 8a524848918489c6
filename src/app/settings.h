// The sections that every daemon has.
#pragma once

#include <cstdint>
#include <string>

#include "config/binder.h"

namespace heliograph::app {

struct LogConfig {
  std::string level = "info";
  std::string format = "auto";

  void Bind(config::Binder& binder);
  void Apply(std::string_view program) const;  // before any thread is started
};

struct AdminConfig {
  std::string host = "127.0.0.1";
  std::int64_t port = 9100;

  void Bind(config::Binder& binder);
};

}  // namespace heliograph::app
