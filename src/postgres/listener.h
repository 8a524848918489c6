// Waits for what is told on one of PostgreSQL's channels (LISTEN), on a session of its own.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/wakeup.h"
#include "postgres/connection.h"

namespace heliograph::postgres {

// Threads: one thread.
class Listener {
 public:
  // Connects to nobody. `channel` is a name in lower case.
  Listener(Config config, std::string application_name, std::string_view channel);

  // Until something was told, or may have been (the session is new), or `wakeup` is notified, which
  // it clears, or `until`. A session that cannot be had is tried again at the next call, a second
  // later at the earliest; connecting takes as long as Connection::Open's.
  void Wait(base::Wakeup& wakeup, base::SteadyTime until);

 private:
  bool Connect();  // true: the session is new

  const Config config_;
  const std::string application_name_;
  const std::string channel_;
  std::optional<Connection> connection_;
  base::SteadyTime connect_again_at_{};
};

}  // namespace heliograph::postgres
