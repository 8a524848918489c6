// Waiting for nothing but time.
#pragma once

#include <chrono>
#include <stop_token>

namespace heliograph::base {

// Sleeps; ends early when stop is requested. Threads: any thread.
void Pause(const std::stop_token& stop, std::chrono::milliseconds time);

}  // namespace heliograph::base
