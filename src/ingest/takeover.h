// Tells that another process takes our session: connections end soon after the broker accepted
// them, again and again, and the other process was heard meanwhile. Mosquitto 2.0.11 itself does
// not say so: it closes the connection without a DISCONNECT. Pure.
#pragma once

#include <chrono>

#include "base/backoff.h"
#include "base/clock.h"

namespace heliograph::ingest {

// Threads: one thread.
class Takeover {
 public:
  // `first_wait` doubles with each further takeover, up to ten times itself.
  explicit Takeover(std::chrono::milliseconds first_wait) : backoff_(first_wait, first_wait * 10) {}

  void Accepted(base::SteadyTime now) { accepted_at_ = now; }
  // A message of the other process came over our session.
  void Heard() { heard_ = true; }
  // An accepted connection has ended, not by us. True: the session was taken; wait for Wait().
  bool Ended(base::SteadyTime now);
  std::chrono::milliseconds Wait() { return backoff_.Next(); }
  bool suspected() const { return suspected_; }
  // About once a second while connected: a connection that lasts ends the suspicion.
  void StillConnected(base::SteadyTime now);

 private:
  base::Backoff backoff_;
  base::SteadyTime accepted_at_{};
  int short_lives_ = 0;
  bool heard_ = false;  // in this row of short lives
  bool suspected_ = false;
};

}  // namespace heliograph::ingest
