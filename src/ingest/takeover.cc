#include "ingest/takeover.h"

namespace heliograph::ingest {
namespace {

// A broker that merely restarts ends a connection once, not three times within seconds of accepting
// it.
constexpr std::chrono::seconds kShortLife{5};
constexpr int kShortLivesOfATakeover = 3;
// Longer than the other process waits before it comes back.
constexpr std::chrono::seconds kLongLife{20};

}  // namespace

bool Takeover::EndedByBroker(base::SteadyTime now) {
  if (now - accepted_at_ >= kShortLife) {
    short_lives_ = 0;
    return false;
  }
  ++short_lives_;
  // Once suspected, one more short life is enough.
  if (short_lives_ < kShortLivesOfATakeover && !suspected_) return false;
  suspected_ = true;
  short_lives_ = 0;
  return true;
}

void Takeover::StillConnected(base::SteadyTime now) {
  if (now - accepted_at_ < kLongLife) return;
  short_lives_ = 0;
  if (!suspected_) return;
  suspected_ = false;
  backoff_.Reset();
}

}  // namespace heliograph::ingest
