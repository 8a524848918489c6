// The keys that tokens may be signed with, as the identity provider publishes them now.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "auth/key_set.h"
#include "auth/key_source.h"
#include "auth/refresh_schedule.h"
#include "base/clock.h"
#include "base/health.h"
#include "base/result.h"
#include "config/binder.h"
#include "http_client/client.h"
#include "log/log.h"
#include "metrics/metrics.h"

namespace heliograph::auth {

struct KeysConfig {
  KeysConfig();

  std::string file;
  std::string url;
  std::chrono::milliseconds refresh{std::chrono::minutes(5)};
  std::chrono::milliseconds least_interval{std::chrono::seconds(10)};
  http_client::ClientConfig http;

  void Bind(config::Binder& binder);
};

// One thread, which stays in Keep, reads the keys: at once, then every `refresh`, and when a token
// names a key that is not known, but never twice within `least_interval`. While they cannot be
// read, those known before count. Threads: Keep on one thread, Find and revision on any.
class KeyRing {
 public:
  // Sets the dependency "keys" of `health`: ready from the first keys on. Throws
  // base::StartupError: a file that cannot be used.
  KeyRing(const KeysConfig& config, const base::Clock& clock, base::Health& health,
          metrics::Registry& metrics);

  // Returns when stop is requested; later than that by one call's time at most.
  void Keep(const std::stop_token& stop);

  // Waits for a key that is not known while it is asked for; only few at a time do, lest tokens
  // that name any key hold up all handlers. kUnauthenticated: there is no such key, or it is for
  // another algorithm. kUnavailable: it cannot be told now.
  base::Result<std::shared_ptr<const PublicKey>> Find(const std::string& id, Algorithm algorithm);

  // Another number whenever the keys have changed.
  std::uint64_t revision() const;

 private:
  base::Status Refresh();  // error: those before count
  base::Status Take(const base::Result<std::string>& text);
  // nullopt: not among those known.
  std::optional<base::Result<std::shared_ptr<const PublicKey>>> Look(const std::string& id,
                                                                     Algorithm algorithm) const;

  const base::Clock& clock_;
  base::Health& health_;
  const log::Logger log_{"auth"};
  const std::chrono::milliseconds longest_wait_;
  const std::unique_ptr<KeySource> source_;
  metrics::Gauge good_;
  metrics::Gauge count_;
  metrics::Counter failures_;
  metrics::Counter reads_;
  log::RateLimit limit_{std::chrono::seconds(30)};
  std::string text_;  // of the keys, for the thread in Keep; "" = there were none yet

  mutable std::mutex mutex_;  // guards all that follows
  std::condition_variable_any wanted_changed_;
  std::condition_variable_any attempt_ended_;
  RefreshSchedule schedule_;
  std::shared_ptr<const KeySet> keys_;
  std::uint64_t revision_ = 0;
  std::uint64_t attempts_ = 0;
  std::size_t waiting_ = 0;
  bool wanted_ = false;
  bool ended_ = false;
};

}  // namespace heliograph::auth
