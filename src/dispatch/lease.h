// This process's right to publish actions: a row of `dispatchers` that is renewed every second, and
// the MQTT client id that goes with it. Who loses the lease loses the connection to the broker,
// too: whoever takes its work has connected under its client id first, so nothing that it still
// holds is published any more. docs/decisions/0018-queue.md.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "base/clock.h"
#include "base/health.h"
#include "base/result.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "postgres/dispatch_queue.h"

namespace heliograph::dispatch {

// Renewed five times as often.
inline constexpr std::chrono::seconds kLease{5};

// Threads: its own, "lease"; the rest from any.
class Lease {
 public:
  // Asks nobody. The client ids begin with `name`, which begins with @. Keeps the health of "lease"
  // up to date.
  Lease(postgres::DispatchQueue& queue, std::string name, base::Health& health,
        metrics::Registry& metrics);
  // Gives it back. Not before the connection to the broker has ended.
  ~Lease();
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  // Before each connect: the client id for it, with a lease that was renewed just now; a new one
  // where the old lease is lost. An error where the database cannot be asked: no connection then.
  base::Result<std::string> Claim();
  // The client id; "" = there is no lease now, also where it could not be renewed in time: nothing
  // may be accepted or published.
  std::string holder() const;
  // Whether `client_id` is the holder; for every message, so nothing is copied.
  bool Holds(std::string_view client_id) const;
  // Called on the lease's thread while another process has it, or nobody; {} = no more, after which
  // no call is under way.
  void OnLost(std::function<void()> on_lost);

 private:
  void Run(const std::stop_token& stop);
  void Renew();
  // False: it is lost.
  base::Result<bool> RenewAs(const std::string& client_id);
  void Hold(const std::string& client_id, base::SteadyTime asked_at);
  std::string client_id() const;
  void Tell(const std::string& why_not);

  postgres::DispatchQueue& queue_;
  const std::string name_;
  base::Health& health_;
  const log::Logger log_{"dispatch"};
  log::RateLimit renew_line_{std::chrono::seconds(10)};
  metrics::Counter lost_;
  std::mutex callback_mutex_;
  std::function<void()> on_lost_;  // guarded by callback_mutex_
  mutable std::mutex mutex_;
  std::string client_id_;             // guarded by mutex_; "" = never claimed, or lost
  base::SteadyTime valid_until_{};    // guarded by mutex_
  bool ever_claimed_ = false;         // guarded by mutex_
  std::condition_variable_any wake_;  // with mutex_
  std::jthread thread_;               // last: it uses everything above
};

}  // namespace heliograph::dispatch
