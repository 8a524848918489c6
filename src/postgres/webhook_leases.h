// Webhooks as the process sees them that delivers: which are its own, how far each is, what became
// of its requests. Table: migrations/0012_webhooks.up.sql.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "postgres/pool.h"
#include "postgres/webhook_store.h"

namespace heliograph::postgres {

// Which webhook, and as whose: what is said with an older epoch has no effect.
struct WebhookClaim {
  std::int64_t id = 0;
  std::int64_t epoch = 0;
};

struct ClaimedWebhook {
  WebhookClaim claim;
  std::optional<device::TenantId> tenant;  // nullopt = the operators'
  std::string name;
  WebhookDefinition definition;
  base::Secret secret;
  base::Secret former_secret;  // "" = none signs any more
  std::int64_t revision = 0;   // another: what is known of it is to be read again
  bool active = false;         // else only the test event is wanted
  std::string place;
  std::int64_t failures = 0;
  std::chrono::milliseconds retry_in{0};
  std::optional<base::Timestamp> waiting_since;
  std::optional<base::Timestamp> ping_asked_at;  // nullopt: none is to be sent
};

struct WebhookFailure {
  std::string reason;                  // a fixed word
  std::optional<std::int64_t> status;  // that was answered
  std::chrono::milliseconds retry_in{0};
  base::Timestamp waiting_since{};  // when the event was that was not delivered
  bool for_ever = false;            // disabled at once
  // Else disabled once it has failed so often, and for so long.
  std::int64_t most_failures = 0;
  std::chrono::milliseconds longest{0};
};

enum class WebhookAfter { kActive, kDisabled, kLost };

struct PassedPlace {
  WebhookClaim claim;
  std::string place;
};

// kLost, or false: it is not this process's any more; nothing was changed. Errors as Connection's.
// Threads: any thread.
class WebhookLeases {
 public:
  // `wait` bounds how long a call waits for a session.
  WebhookLeases(Pool& pool, std::chrono::milliseconds wait) : pool_(pool), wait_(wait) {}

  // All that are `owner`'s from now on for `lease`: those that it has, and those that nobody has
  // and that have something to be done; at most `most`.
  base::Result<std::vector<ClaimedWebhook>> Claim(const std::string& owner,
                                                  std::chrono::milliseconds lease,
                                                  std::int64_t most);
  // Everything up to `place` is delivered, `events` of it now.
  base::Result<bool> Delivered(const WebhookClaim& claim, const std::string& place,
                               std::int64_t events,
                               const std::optional<base::Timestamp>& waiting_since);
  base::Result<WebhookAfter> Failed(const WebhookClaim& claim, const WebhookFailure& failure);
  // `asked_at`: which one; a caller may have asked again meanwhile.
  base::Result<bool> PingEnded(const WebhookClaim& claim, base::Timestamp asked_at,
                               const std::string& outcome);
  // Nothing up to there was wanted.
  base::Status Passed(std::span<const PassedPlace> places);
  // Whoever comes next need not wait for the lease to end.
  base::Status Release(const std::string& owner);

 private:
  base::Result<Pool::Lease> Session() const;

  Pool& pool_;
  const std::chrono::milliseconds wait_;
};

}  // namespace heliograph::postgres
