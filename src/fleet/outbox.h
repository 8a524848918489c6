// The numbered messages of one device on one channel: what has no acknowledgement yet is kept, in
// order, and is due again when a connection was lost. As a real device with a queue on disk does
// it.
#pragma once

#include <cstdint>
#include <deque>

#include "base/clock.h"
#include "fleet/sequence_set.h"

namespace heliograph::fleet {

// Threads: one thread.
class Outbox {
 public:
  struct Item {
    std::uint64_t sequence = 0;
    base::Timestamp sent;
    bool again = false;
  };

  bool HasDue() const noexcept { return next_ < kept_.size(); }

  // The next number, or the first that is due again.
  Item Take(base::Timestamp now);

  void OnAcknowledged(std::uint64_t sequence);
  void OnNoSubscriber(std::uint64_t sequence);
  void OnRefused(std::uint64_t sequence);
  void OnConnectionLost() noexcept { next_ = 0; }  // everything that is kept is due again

  std::uint64_t last() const noexcept { return last_; }       // the highest number given
  std::size_t kept() const noexcept { return kept_.size(); }  // without an acknowledgement
  const SequenceSet& acknowledged() const noexcept { return acknowledged_; }
  const SequenceSet& no_subscriber() const noexcept { return no_subscriber_; }
  const SequenceSet& refused() const noexcept { return refused_; }

 private:
  void Forget(std::uint64_t sequence);

  std::deque<Item> kept_;  // by sequence
  std::size_t next_ = 0;   // the first of kept_ that is not on the way
  std::uint64_t last_ = 0;
  SequenceSet acknowledged_;
  SequenceSet no_subscriber_;
  SequenceSet refused_;
};

}  // namespace heliograph::fleet
