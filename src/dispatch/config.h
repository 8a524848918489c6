// How actions are carried out.
#pragma once

#include <chrono>
#include <cstdint>

#include "config/binder.h"

namespace heliograph::dispatch {

struct ActionsConfig {
  std::chrono::milliseconds default_ttl{std::chrono::hours(1)};
  std::chrono::milliseconds publish_timeout{std::chrono::seconds(5)};
  std::int64_t max_waiting_twins = 16;

  void Bind(config::Binder& binder);
};

}  // namespace heliograph::dispatch
