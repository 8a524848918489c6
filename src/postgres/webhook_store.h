// Webhooks as callers make and see them. Table: migrations/0012_webhooks.up.sql.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "action/ids.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "device/ids.h"
#include "postgres/audit.h"
#include "postgres/pool.h"

namespace heliograph::postgres {

// How long the secret before signs too, so that a receiver need not change it in the same moment.
inline constexpr std::chrono::hours kFormerSecretSigns{24};

struct WebhookDefinition {
  std::string url;
  std::string types;             // of events, with commas between them; "" = all
  std::string client_id_prefix;  // "" = any
  std::optional<action::ActionId> action_id;
};

struct Webhook {
  std::optional<device::TenantId> tenant;  // nullopt = the operators'
  std::string name;
  WebhookDefinition definition;
  base::Timestamp created_at{};
  base::Timestamp updated_at{};
  bool active = false;
  std::optional<base::Timestamp> disabled_at;
  std::string disabled_reason;
  std::int64_t delivered = 0;  // events, repeats included
  std::optional<base::Timestamp> last_success_at;
  std::optional<base::Timestamp> last_failure_at;
  std::string last_failure;                 // a fixed word
  std::optional<std::int64_t> last_status;  // that was answered then
  std::int64_t failures = 0;                // since the last success
  std::optional<base::Timestamp> failing_since;
  std::optional<base::Timestamp> retry_at;
  std::optional<std::int64_t> behind_s;  // the age of the event that is next; nullopt: none waits
  std::optional<base::Timestamp> ping_asked_at;
  std::optional<base::Timestamp> ping_ended_at;
  std::string ping_outcome;
};

struct NewWebhook {
  std::string name;
  WebhookDefinition definition;
  base::Secret secret;
  std::string place;      // where it begins
  std::int64_t most = 0;  // that a tenant may have
};

enum class WebhookCreation { kCreated, kNameIsTaken, kTooMany };

// What is nullopt stays as it is.
struct WebhookChange {
  std::optional<std::string> url;
  std::optional<std::string> types;
  std::optional<std::string> client_id_prefix;
  std::optional<std::optional<action::ActionId>> action_id;
  std::optional<base::Secret> secret;
};

// A webhook belongs to the origin's tenant; operators have some of their own. Each change is one
// transaction with its entry in the audit. Errors as Connection's. Threads: any thread.
class WebhookStore {
 public:
  using Tenant = std::optional<device::TenantId>;
  using Found = base::Result<std::optional<Webhook>>;  // nullopt: there is none

  // `wait` bounds how long a call waits for a session.
  WebhookStore(Pool& pool, std::chrono::milliseconds wait) : pool_(pool), wait_(wait) {}

  base::Result<WebhookCreation> Create(const NewWebhook& webhook, const Origin& origin);
  Found Get(const Tenant& tenant, const std::string& name);
  // By name. `after` "" = from the beginning.
  base::Result<std::vector<Webhook>> List(const Tenant& tenant, const std::string& after,
                                          std::int64_t limit);
  Found Change(const std::string& name, const WebhookChange& change, const Origin& origin);
  // Events go on where they stopped, at once.
  Found Enable(const std::string& name, const Origin& origin);
  // Has a test event sent, whether it is active or not.
  Found AskForPing(const std::string& name, const Origin& origin);
  // False: there was none.
  base::Result<bool> Delete(const std::string& name, const Origin& origin);

 private:
  base::Result<Pool::Lease> Session() const;
  // One UPDATE or DELETE that answers a row where there was one, and its entry in the audit.
  Found Do(std::string_view deed, std::string_view sql, std::vector<Parameter> parameters,
           const std::string& name, const Origin& origin);

  Pool& pool_;
  const std::chrono::milliseconds wait_;
};

}  // namespace heliograph::postgres
