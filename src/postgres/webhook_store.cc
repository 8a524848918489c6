#include "postgres/webhook_store.h"

#include <utility>

#include "postgres/audit_rows.h"
#include "postgres/transaction.h"

namespace heliograph::postgres {
namespace {

constexpr std::string_view kColumns =
    "tenant, name, url, types, client_id_prefix, action_id, created_at, updated_at, "
    "state = 'active', disabled_at, disabled_reason, delivered, last_success_at, last_failure_at, "
    "last_failure, last_status, failures, failing_since, retry_at, "
    "CASE WHEN waiting_since IS NOT NULL "
    "THEN greatest(0, extract(epoch FROM now() - waiting_since))::bigint END, "
    "ping_asked_at, ping_ended_at, ping_outcome";

std::optional<std::int64_t> OptionalNumber(const Rows& rows, int row, int column) {
  if (rows.IsNull(row, column)) return std::nullopt;
  return rows.GetInt64(row, column);
}

Webhook WebhookAt(const Rows& rows, int row) {
  Webhook webhook;
  if (!rows.Get(row, 0).empty()) webhook.tenant = device::TenantId(rows.Get(row, 0));
  webhook.name = rows.Get(row, 1);
  webhook.definition.url = rows.Get(row, 2);
  webhook.definition.types = rows.Get(row, 3);
  webhook.definition.client_id_prefix = rows.Get(row, 4);
  if (!rows.IsNull(row, 5)) webhook.definition.action_id = action::ActionId(rows.Get(row, 5));
  webhook.created_at = rows.GetTimestamp(row, 6);
  webhook.updated_at = rows.GetTimestamp(row, 7);
  webhook.active = rows.GetBool(row, 8);
  webhook.disabled_at = rows.GetOptionalTimestamp(row, 9);
  webhook.disabled_reason = rows.Get(row, 10);
  webhook.delivered = rows.GetInt64(row, 11);
  webhook.last_success_at = rows.GetOptionalTimestamp(row, 12);
  webhook.last_failure_at = rows.GetOptionalTimestamp(row, 13);
  webhook.last_failure = rows.Get(row, 14);
  webhook.last_status = OptionalNumber(rows, row, 15);
  webhook.failures = rows.GetInt64(row, 16);
  webhook.failing_since = rows.GetOptionalTimestamp(row, 17);
  webhook.retry_at = rows.GetOptionalTimestamp(row, 18);
  webhook.behind_s = OptionalNumber(rows, row, 19);
  webhook.ping_asked_at = rows.GetOptionalTimestamp(row, 20);
  webhook.ping_ended_at = rows.GetOptionalTimestamp(row, 21);
  webhook.ping_outcome = rows.Get(row, 22);
  return webhook;
}

Decision AcceptedDeed(std::string_view deed, const std::string& name, const Origin& origin) {
  Decision decision;
  decision.origin = origin;
  decision.deed = deed;
  decision.accepted = true;
  decision.webhook = name;
  return decision;
}

}  // namespace

base::Result<Pool::Lease> WebhookStore::Session() const {
  return pool_.Acquire(std::chrono::steady_clock::now() + wait_);
}

base::Result<WebhookCreation> WebhookStore::Create(const NewWebhook& webhook,
                                                   const Origin& origin) {
  auto session = Session();
  if (!session) return std::move(session).error();
  auto transaction = Transaction::Begin(**session);
  if (!transaction) return std::move(transaction).error();
  // One after the other of a tenant, or two that come together would both be the last one allowed.
  const auto locked = transaction->Execute(
      "SELECT pg_advisory_xact_lock(hashtextextended('webhooks ' || coalesce($1::text, ''), 0))",
      {origin.tenant});
  if (!locked) return locked.error();
  const auto counted = transaction->Execute(
      "SELECT count(*), count(*) FILTER (WHERE name = $2) FROM webhooks "
      "WHERE tenant = coalesce($1::text, '')",
      {origin.tenant, webhook.name});
  if (!counted) return counted.error();
  if (counted->GetInt64(0, 1) > 0) return WebhookCreation::kNameIsTaken;
  if (counted->GetInt64(0, 0) >= webhook.most) return WebhookCreation::kTooMany;
  const WebhookDefinition& definition = webhook.definition;
  const auto added = transaction->Execute(
      "INSERT INTO webhooks (tenant, name, url, types, client_id_prefix, action_id, secret, place) "
      "VALUES (coalesce($1::text, ''), $2, $3, $4, $5, $6::uuid, $7, $8)",
      {origin.tenant, webhook.name, definition.url, definition.types, definition.client_id_prefix,
       definition.action_id, webhook.secret.Reveal(), webhook.place});
  if (!added) return added.error();
  if (base::Status told =
          AddToAudit(*transaction, AcceptedDeed("create-webhook", webhook.name, origin));
      !told) {
    return std::move(told).error();
  }
  if (base::Status committed = transaction->Commit(); !committed) {
    return std::move(committed).error();
  }
  return WebhookCreation::kCreated;
}

WebhookStore::Found WebhookStore::Get(const Tenant& tenant, const std::string& name) {
  auto session = Session();
  if (!session) return std::move(session).error();
  const auto rows =
      (*session)->Execute(std::string("SELECT ").append(kColumns).append(
                              " FROM webhooks WHERE tenant = coalesce($1::text, '') AND name = $2"),
                          {tenant, name});
  if (!rows) return rows.error();
  if (rows->empty()) return std::optional<Webhook>();
  return std::optional(WebhookAt(*rows, 0));
}

base::Result<std::vector<Webhook>> WebhookStore::List(const Tenant& tenant,
                                                      const std::string& after,
                                                      std::int64_t limit) {
  auto session = Session();
  if (!session) return std::move(session).error();
  const auto rows = (*session)->Execute(
      std::string("SELECT ").append(kColumns).append(
          " FROM webhooks WHERE tenant = coalesce($1::text, '') AND name > $2 ORDER BY name "
          "LIMIT $3::bigint"),
      {tenant, after, limit});
  if (!rows) return rows.error();
  std::vector<Webhook> webhooks;
  for (int row = 0; row < rows->size(); ++row) webhooks.push_back(WebhookAt(*rows, row));
  return webhooks;
}

WebhookStore::Found WebhookStore::Do(std::string_view deed, std::string_view sql,
                                     std::vector<Parameter> parameters, const std::string& name,
                                     const Origin& origin) {
  auto session = Session();
  if (!session) return std::move(session).error();
  auto transaction = Transaction::Begin(**session);
  if (!transaction) return std::move(transaction).error();
  const auto rows =
      transaction->Execute(std::string(sql).append(" RETURNING ").append(kColumns), parameters);
  if (!rows) return rows.error();
  if (rows->empty()) return std::optional<Webhook>();
  if (base::Status told = AddToAudit(*transaction, AcceptedDeed(deed, name, origin)); !told) {
    return std::move(told).error();
  }
  if (base::Status committed = transaction->Commit(); !committed) {
    return std::move(committed).error();
  }
  return std::optional(WebhookAt(*rows, 0));
}

WebhookStore::Found WebhookStore::Change(const std::string& name, const WebhookChange& change,
                                         const Origin& origin) {
  const std::optional<action::ActionId> action = change.action_id.value_or(std::nullopt);
  const Parameter secret =
      change.secret ? Parameter(change.secret->Reveal()) : Parameter(std::nullopt);
  return Do("update-webhook",
            "UPDATE webhooks SET url = coalesce($3, url), types = coalesce($4, types), "
            "client_id_prefix = coalesce($5, client_id_prefix), "
            "action_id = CASE WHEN $6::boolean THEN $7::uuid ELSE action_id END, "
            "former_secret = CASE WHEN $8::text IS NULL THEN former_secret ELSE secret END, "
            "former_until = CASE WHEN $8::text IS NULL THEN former_until "
            "ELSE now() + $9::bigint * interval '1 hour' END, "
            "secret = coalesce($8, secret), retry_at = NULL, updated_at = now(), "
            "revision = revision + 1 WHERE tenant = coalesce($1::text, '') AND name = $2",
            {origin.tenant, name, change.url, change.types, change.client_id_prefix,
             change.action_id.has_value(), action, secret, kFormerSecretSigns.count()},
            name, origin);
}

WebhookStore::Found WebhookStore::Enable(const std::string& name, const Origin& origin) {
  return Do("enable-webhook",
            "UPDATE webhooks SET state = 'active', disabled_at = NULL, disabled_reason = NULL, "
            "failures = 0, failing_since = NULL, retry_at = NULL, updated_at = now(), "
            "revision = revision + 1 WHERE tenant = coalesce($1::text, '') AND name = $2",
            {origin.tenant, name}, name, origin);
}

WebhookStore::Found WebhookStore::AskForPing(const std::string& name, const Origin& origin) {
  return Do("test-webhook",
            "UPDATE webhooks SET ping_asked_at = now(), ping_ended_at = NULL, ping_outcome = NULL "
            "WHERE tenant = coalesce($1::text, '') AND name = $2",
            {origin.tenant, name}, name, origin);
}

base::Result<bool> WebhookStore::Delete(const std::string& name, const Origin& origin) {
  const auto gone = Do("delete-webhook",
                       "DELETE FROM webhooks WHERE tenant = coalesce($1::text, '') AND name = $2",
                       {origin.tenant, name}, name, origin);
  if (!gone) return gone.error();
  return gone->has_value();
}

}  // namespace heliograph::postgres
