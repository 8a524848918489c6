// Whether what devices publish really reaches us. A broker never refuses a SUBSCRIBE, so a wrong
// access list shows nowhere else: a message that the second connection publishes must come back
// over the first. A device's message is as good. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace heliograph::ingest {

// Threads: one thread.
class Canary {
 public:
  // The main connection was accepted, with this id; canaries are due once it has subscribed.
  void Begin(const std::string& connection_id);
  void End() { connection_id_.clear(); }

  // The payload to send now; nothing when it is not time yet, or nothing is subscribed.
  std::optional<std::string> Due(base::SteadyTime now);
  // A canary came back. One of another connection, or of another process, says nothing about this
  // one.
  // True: the first sign of life of this connection.
  bool Came(std::string_view payload, base::SteadyTime now);
  // A device's message came. True as above.
  bool MessageCame(base::SteadyTime now) {
    const bool first = !heard_at_;
    heard_at_ = now;
    return first;
  }
  // Nothing is read for now, so nothing can come.
  void Excuse(base::SteadyTime now);

  std::string problem(base::SteadyTime now) const;  // "" while messages come through

 private:
  std::string connection_id_;  // "" = not subscribed
  int sent_ = 0;
  base::SteadyTime next_{};
  std::optional<base::SteadyTime> heard_at_;
};

}  // namespace heliograph::ingest
