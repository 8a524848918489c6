// A bounded number of sessions, shared by threads.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "postgres/connection.h"

namespace heliograph::postgres {

// Sessions are opened when needed and kept; broken ones are replaced. After a failed connect the
// next ones fail at once for a quarter of a second, so that waiting callers do not storm a database
// that is away. Threads: any thread.
class Pool {
 public:
  Pool(Config config, std::string application_name);  // connects to nobody

  // A session for one caller; given back at its end. One that is in a transaction or lost then is
  // closed. Must not outlive the pool. Threads: one thread.
  class Lease {
   public:
    Lease(Lease&& other) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease();
    Connection& operator*() noexcept { return *connection_; }
    Connection* operator->() noexcept { return connection_.get(); }

   private:
    friend class Pool;
    Lease(Pool& pool, std::unique_ptr<Connection> connection)
        : pool_(&pool), connection_(std::move(connection)) {}
    Pool* pool_;
    std::unique_ptr<Connection> connection_;
  };

  // Waits until `deadline` for a session to be free; connecting takes at most
  // config.connect_timeout for each host. kUnavailable: the database is away, or all sessions
  // stayed busy.
  base::Result<Lease> Acquire(base::SteadyTime deadline);

  // Whether the database answers now: for /readyz. Takes no longer than `limit` plus one connect or
  // statement.
  base::Status Ping(std::chrono::milliseconds limit);

 private:
  void Return(std::unique_ptr<Connection> connection);
  base::Result<Lease> OpenOne();

  const Config config_;
  const std::string application_name_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<std::unique_ptr<Connection>> idle_;  // guarded by mutex_
  std::int64_t open_ = 0;                     // guarded by mutex_; idle, leased and being opened
  std::optional<base::Error> connect_error_;  // guarded by mutex_
  base::SteadyTime connect_again_at_{};       // guarded by mutex_
};

}  // namespace heliograph::postgres
