// Asks the platform's own service what a user may do with which devices.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "auth/permission.h"
#include "auth/sha256.h"
#include "base/clock.h"
#include "base/recent.h"
#include "base/result.h"
#include "base/secret.h"
#include "config/binder.h"
#include "http_client/breaker.h"
#include "http_client/pool.h"
#include "log/log.h"
#include "metrics/metrics.h"

namespace heliograph::auth {

struct UserAuthorisationConfig {
  UserAuthorisationConfig();

  std::string url;  // "" = nobody is asked: whoever may act may act on all of his tenant's devices
  base::Secret token;
  std::chrono::milliseconds remember{std::chrono::seconds(10)};
  std::int64_t breaker_failures = 5;
  std::chrono::milliseconds breaker_open{std::chrono::seconds(5)};
  std::int64_t max_calls = 8;
  http_client::ClientConfig http;

  bool enabled() const { return !url.empty(); }
  void Bind(config::Binder& binder);
};

// POST {user, tenant, directive, client_ids} -> {"allowed": [ids]} or {"allowed": "all"}. Equal
// questions within `remember` are asked once; only answers are remembered, never that there was
// none. Fails closed. Threads: any thread.
class UserAuthoriser {
 public:
  // Precondition: config.enabled().
  UserAuthoriser(const UserAuthorisationConfig& config, const base::Clock& clock,
                 metrics::Registry& metrics);

  // Takes two of the call's timeouts at most. kUnavailable: it cannot be told now, since the
  // service does not answer 200 with an answer in time, or did not lately.
  base::Result<std::shared_ptr<const Permission>> Ask(const Question& question);

 private:
  struct HashOfDigest {
    std::size_t operator()(const Digest& digest) const noexcept;
  };

  // What became of a question. kRefused: the service answers, but not this question; it tells
  // nothing of whether it will answer others.
  enum class Outcome { kAnswered, kRefused, kFailed };

  // A turn, of which there are `max_calls`; as many more may wait for one, so that a slow service
  // does not hold every thread. False: there are too many, none came in time, or the service is
  // left alone now.
  bool Begin();
  void End(Outcome outcome);
  base::Result<Permission> Call(const std::string& body, Outcome& outcome);
  base::Result<Permission> CallGuarded(const std::string& body);

  const UserAuthorisationConfig config_;
  const base::Clock& clock_;
  const log::Logger log_{"auth"};
  log::RateLimit limit_{std::chrono::seconds(30)};
  metrics::Counter remembered_;
  metrics::Counter answered_;
  metrics::Counter failed_;
  metrics::Counter not_asked_;
  http_client::Pool pool_;
  base::Recent<Digest, std::shared_ptr<const Permission>, base::SteadyTime, HashOfDigest> recent_;
  std::mutex mutex_;
  std::condition_variable turn_;
  http_client::Breaker breaker_;  // guarded by mutex_, as are the next two
  std::int64_t calling_ = 0;
  std::int64_t waiting_ = 0;
};

}  // namespace heliograph::auth
