// The numbered messages of one device on one channel: what has no acknowledgement yet is kept, in
// order, and is due again when a connection was lost. As a real device with a queue on disk does
// it. With receipts a message is kept until its receipt has come, since a broker that is killed can
// forget what it has acknowledged; it is due again also when the receipt does not come in time.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

#include "base/clock.h"
#include "fleet/sequence_set.h"

namespace heliograph::fleet {

// Threads: one thread.
class Outbox {
 public:
  explicit Outbox(bool with_receipts = false) : with_receipts_(with_receipts) {}

  struct Item {
    std::uint64_t sequence = 0;
    base::Timestamp sent;
    bool again = false;
  };

  bool HasDue() const noexcept { return next_ < kept_.size(); }

  // The next number, or the first that is due again.
  Item Take(base::Timestamp now);

  // The broker's answer; `now` is when the wait for the receipt begins. True: its first for this
  // number.
  bool OnAcknowledged(std::uint64_t sequence, base::SteadyTime now = {});
  void OnNoSubscriber(std::uint64_t sequence, base::SteadyTime now = {});
  void OnRefused(std::uint64_t sequence);
  // True: it was waited for.
  bool OnReceipt(std::uint64_t sequence);
  // What has no receipt so long after the broker's answer is due again; the wait doubles each time,
  // up to 16 times itself.
  void OnTime(base::SteadyTime now, std::chrono::milliseconds timeout);
  void OnConnectionLost();  // everything that is kept is due again

  std::uint64_t last() const noexcept { return last_; }  // the highest number given
  // Without an acknowledgement, or a receipt.
  std::size_t kept() const noexcept { return kept_.size(); }
  const SequenceSet& acknowledged() const noexcept { return acknowledged_; }
  const SequenceSet& no_subscriber() const noexcept { return no_subscriber_; }
  const SequenceSet& refused() const noexcept { return refused_; }
  const SequenceSet& receipted() const noexcept { return receipted_; }

 private:
  struct Kept {
    Item item;
    bool due = true;
    int timeouts = 0;
    std::optional<base::SteadyTime> answered_at;  // by the broker, since it was last sent
  };
  using Place = std::deque<Kept>::iterator;

  Place Find(std::uint64_t sequence);
  void Answered(std::uint64_t sequence, base::SteadyTime now);
  bool Forget(std::uint64_t sequence);
  void SkipToDue();

  bool with_receipts_;
  std::deque<Kept> kept_;  // by sequence
  std::size_t next_ = 0;   // the first of kept_ that is due
  std::uint64_t last_ = 0;
  SequenceSet acknowledged_;
  SequenceSet no_subscriber_;
  SequenceSet refused_;
  SequenceSet receipted_;
};

}  // namespace heliograph::fleet
