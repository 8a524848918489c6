// What happened so far, of all devices together.
#pragma once

#include <cstdint>

namespace heliograph::fleet {

struct Counters {
  std::uint64_t online = 0;  // devices that are, at this moment
  std::uint64_t connects = 0;
  std::uint64_t losses = 0;         // connections that ended unasked
  std::uint64_t sent = 0;           // telemetry, each once
  std::uint64_t resent = 0;         // numbered ones, after a lost connection or without a receipt
  std::uint64_t acknowledged = 0;   // numbered ones each once
  std::uint64_t no_subscriber = 0;  // acknowledged with 0x10: the broker has nobody to give it to
  std::uint64_t refused = 0;
  std::uint64_t forgotten = 0;  // in flight when the connection ended, and not numbered
  std::uint64_t actions = 0;    // run; repeats do not count
  std::uint64_t answers = 0;    // results and events
  std::uint64_t receipts = 0;   // of messages that waited for theirs
};

}  // namespace heliograph::fleet
