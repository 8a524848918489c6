// Delivers events to webhooks: at least once, in the order of the log, one request at a time to
// each, none of which waits for another.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "http_client/transfers.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "postgres/webhook_leases.h"
#include "webhooks/batch.h"
#include "webhooks/config.h"
#include "webhooks/definition.h"
#include "webhooks/log_window.h"
#include "webhooks/outcome.h"
#include "webhooks/receiver.h"

namespace heliograph::webhooks {

// kInternal where config.allowed_networks holds no networks, which Config::Bind has refused.
base::Result<UrlRules> RulesOf(const Config& config);

// Threads: its own, "webhooks"; Wake from any.
class Courier {
 public:
  // Throws base::StartupError.
  Courier(const Config& config, postgres::WebhookLeases& leases, events::EventReader& reader,
          const base::Clock& clock, metrics::Registry& metrics);
  ~Courier();  // gives up what is under way: another process, or the next one, sends it again
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;

  // A caller has changed a webhook.
  void Wake() noexcept;

 private:
  struct Meters {
    explicit Meters(metrics::Registry& metrics);
    metrics::Counter events;
    metrics::Counter delivered;
    metrics::Counter failed;
    metrics::Counter disabled;
    metrics::Counter resets;
    metrics::Gauge held;
    metrics::Gauge failing;
    metrics::Gauge behind;
  };
  // What goes out, and what is true once it was taken.
  struct Shipment {
    Batch batch;
    Place up_to;
    std::optional<base::Timestamp> next_at = std::nullopt;  // of the first event that is not in it
  };

  void Run(const std::stop_token& stop);
  // Whether there may be more to do at once.
  bool Turn();
  // Which webhooks are this process's.
  void Renew();
  events::Wanted WantedByAll() const;
  void Adopt(std::vector<postgres::ClaimedWebhook> claimed);
  void Report();
  void SavePassed();
  bool Serve(Receiver& receiver);
  bool ServePage(Receiver& receiver);
  bool MayStart(const Receiver& receiver) const;
  void Fill(Receiver& receiver, LogEntry& entry, Shipment& shipment, bool& full);
  void Ship(Receiver& receiver, Shipment shipment);
  void ShipPing(Receiver& receiver);
  void Send(Receiver& receiver, std::string id, std::string body,
            std::function<void(const Outcome&)> done);
  void OnShipped(std::int64_t id, const Shipment& shipment, const Outcome& outcome);
  void OnPinged(std::int64_t id, base::Timestamp asked_at, const Outcome& outcome);
  void Save(Receiver& receiver);
  void Fail(Receiver& receiver, const Shipment& shipment, const Outcome& outcome);
  void EraseIfGone(std::int64_t id);

  const Config config_;
  const UrlRules rules_;
  postgres::WebhookLeases& leases_;
  const base::Clock& clock_;
  const std::string owner_;
  const log::Logger log_{"webhooks"};
  log::RateLimit failure_limit_{std::chrono::seconds(10)};
  log::RateLimit database_limit_{std::chrono::seconds(10)};
  Meters meters_;
  LogWindow window_;
  http_client::Transfers transfers_;
  std::minstd_rand random_{std::random_device{}()};
  std::map<std::int64_t, Receiver> receivers_;     // by webhook id
  std::map<std::string, std::int64_t> under_way_;  // requests, by tenant
  std::int64_t failing_under_way_ = 0;
  std::int64_t next_page_of_ = 0;  // the webhook that reads the next page
  base::SteadyTime renew_at_{};
  base::SteadyTime lease_ends_{};
  base::SteadyTime look_at_{};
  base::SteadyTime save_at_{};
  std::atomic<bool> renew_now_ = false;
  std::jthread thread_;  // last: it uses everything above
};

}  // namespace heliograph::webhooks
