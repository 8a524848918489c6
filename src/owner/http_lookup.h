// Asks the platform's own service who owns a device, one GET for each.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/secret.h"
#include "config/binder.h"
#include "http_client/breaker.h"
#include "http_client/client.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "owner/answer_memory.h"
#include "owner/patience.h"
#include "owner/question_queue.h"
#include "owner/question_url.h"
#include "owner/reply.h"
#include "owner/resolver.h"

namespace heliograph::owner {

struct HttpConfig {
  HttpConfig();

  std::string url;  // "" = nobody is asked
  base::Secret token;
  std::chrono::milliseconds cache{std::chrono::minutes(1)};
  std::chrono::milliseconds check{std::chrono::hours(1)};
  std::chrono::milliseconds retry{std::chrono::seconds(30)};
  std::chrono::milliseconds wait{200};
  std::int64_t max_calls = 8;
  std::int64_t breaker_failures = 5;
  std::chrono::milliseconds breaker_open{std::chrono::seconds(5)};
  http_client::ClientConfig http;

  bool enabled() const { return !url.empty(); }
  void Bind(config::Binder& binder);
};

// Answers what it knows at once, and has the rest asked by the threads in Serve. What the service
// says counts for `cache`; that it is nobody's for `retry`, then for twice that, up to `check`. Its
// Revision changes every `check`, by the calendar, so that then everybody is asked about again. A
// service that fails again and again is left alone for a while: nobody waits for it then, and
// condition() says so. Threads: any thread.
class HttpLookup final : public Resolver {
 public:
  // Precondition: config.enabled(). Throws base::StartupError: the url is none.
  HttpLookup(const HttpConfig& config, const base::Clock& clock, metrics::Registry& metrics);

  // kConnecting waits for `wait` at most, and for no more than a tenth of the time in the long run.
  std::vector<Answer> Resolve(std::span<const device::ClientId> client_ids,
                              Urgency urgency) override;
  void Refresh() override {}
  std::string Revision() const override;
  Condition condition() const override;
  std::optional<std::chrono::milliseconds> retry() const override { return config_.retry; }
  std::size_t servers() const override { return static_cast<std::size_t>(config_.max_calls); }
  // Asks, one question at a time. Returns when stop is requested; later than that by one call's
  // time at most.
  void Serve(const std::stop_token& stop) override;

 private:
  struct Counters {
    explicit Counters(metrics::Registry& metrics);
    const metrics::Counter& Of(Reply::Kind kind) const;

    metrics::Counter remembered;
    metrics::Counter owned;
    metrics::Counter nobody;
    metrics::Counter refused;
    metrics::Counter wrong;
    metrics::Counter unanswered;
  };

  void Wait(std::unique_lock<std::mutex>& lock, const QuestionQueue::Waiter& waiter);
  std::optional<device::ClientId> TakeQuestion(const std::stop_token& stop);
  Reply Ask(http_client::Client& client, const device::ClientId& client_id) const;
  void Take(const device::ClientId& client_id, const Reply& reply);
  void Tell(const device::ClientId& client_id, const Reply& reply, bool lost, bool back);

  const HttpConfig config_;
  const base::Clock& clock_;
  const log::Logger log_{"owner"};
  log::RateLimit limit_{std::chrono::seconds(30)};
  const QuestionUrl url_;
  const std::string revision_;  // what it begins with
  const Counters counters_;
  metrics::Gauge good_;
  metrics::Gauge waiting_;
  metrics::Histogram seconds_;

  mutable std::mutex mutex_;  // guards all that follows
  std::condition_variable_any asked_;
  std::condition_variable answered_;
  AnswerMemory memory_;
  QuestionQueue questions_;
  http_client::Breaker breaker_;
  Patience patience_;
  std::string trouble_;  // why the last question failed that counts against the service
};

}  // namespace heliograph::owner
