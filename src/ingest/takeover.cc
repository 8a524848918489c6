#include "ingest/takeover.h"

namespace heliograph::ingest {
namespace {

// A connection of our own that was cut is taken over by the next one, once.
constexpr std::chrono::seconds kShortLife{5};
constexpr int kShortLivesOfATakeover = 3;
// Longer than the other process waits before it comes back.
constexpr std::chrono::seconds kLongLife{20};

}  // namespace

bool Takeover::Ended(base::SteadyTime now) {
  if (now - accepted_at_ >= kShortLife) {
    short_lives_ = 0;
    heard_ = false;
    return false;
  }
  ++short_lives_;
  // Once suspected, one more short life is enough.
  if (!heard_ || (short_lives_ < kShortLivesOfATakeover && !suspected_)) return false;
  suspected_ = true;
  short_lives_ = 0;
  heard_ = false;
  return true;
}

void Takeover::StillConnected(base::SteadyTime now) {
  if (now - accepted_at_ < kLongLife) return;
  short_lives_ = 0;
  heard_ = false;
  if (!suspected_) return;
  suspected_ = false;
  backoff_.Reset();
}

}  // namespace heliograph::ingest
