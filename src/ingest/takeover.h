// Tells that another process holds our session: the broker ends the connection soon after it
// accepted it, again and again. Pure.
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
  // The broker ended an accepted connection. True: this looks like a takeover; wait for Wait().
  bool EndedByBroker(base::SteadyTime now);
  std::chrono::milliseconds Wait() { return backoff_.Next(); }
  bool suspected() const { return suspected_; }
  // About once a second while connected: a connection that lasts ends the suspicion.
  void StillConnected(base::SteadyTime now);

 private:
  base::Backoff backoff_;
  base::SteadyTime accepted_at_{};
  int short_lives_ = 0;
  bool suspected_ = false;
};

}  // namespace heliograph::ingest
