#include "postgres/webhook_leases.h"

#include <utility>

#include "postgres/array.h"

namespace heliograph::postgres {
namespace {

ClaimedWebhook ClaimedAt(const Rows& rows, int row) {
  ClaimedWebhook webhook;
  webhook.claim = {rows.GetInt64(row, 0), rows.GetInt64(row, 1)};
  if (!rows.Get(row, 2).empty()) webhook.tenant = device::TenantId(rows.Get(row, 2));
  webhook.name = rows.Get(row, 3);
  webhook.definition.url = rows.Get(row, 4);
  webhook.definition.types = rows.Get(row, 5);
  webhook.definition.client_id_prefix = rows.Get(row, 6);
  if (!rows.IsNull(row, 7)) webhook.definition.action_id = action::ActionId(rows.Get(row, 7));
  webhook.secret = base::Secret(std::string(rows.Get(row, 8)));
  webhook.former_secret = base::Secret(std::string(rows.Get(row, 9)));
  webhook.revision = rows.GetInt64(row, 10);
  webhook.active = rows.GetBool(row, 11);
  webhook.place = rows.Get(row, 12);
  webhook.failures = rows.GetInt64(row, 13);
  webhook.retry_in = std::chrono::milliseconds(rows.GetInt64(row, 14));
  webhook.waiting_since = rows.GetOptionalTimestamp(row, 15);
  webhook.ping_asked_at = rows.GetOptionalTimestamp(row, 16);
  return webhook;
}

}  // namespace

base::Result<Pool::Lease> WebhookLeases::Session() const {
  return pool_.Acquire(std::chrono::steady_clock::now() + wait_);
}

// Its own first, or it could lose some to the limit that it is at work on.
base::Result<std::vector<ClaimedWebhook>> WebhookLeases::Claim(const std::string& owner,
                                                               std::chrono::milliseconds lease,
                                                               std::int64_t most) {
  auto session = Session();
  if (!session) return std::move(session).error();
  const auto rows = (*session)->Execute(
      "WITH mine AS MATERIALIZED (SELECT webhook_id AS id FROM webhooks "
      "  WHERE (state = 'active' OR (ping_asked_at IS NOT NULL AND ping_ended_at IS NULL)) "
      "    AND (owner IS NOT DISTINCT FROM $1 OR lease_until < now()) "
      "  ORDER BY owner IS NOT DISTINCT FROM $1 DESC, webhook_id LIMIT $3::bigint "
      "  FOR UPDATE SKIP LOCKED) "
      "UPDATE webhooks SET owner = $1, epoch = epoch + (owner IS DISTINCT FROM $1)::int, "
      "lease_until = now() + $2::bigint * interval '1 millisecond' "
      "FROM mine WHERE webhook_id = mine.id "
      "RETURNING webhook_id, epoch, tenant, name, url, types, client_id_prefix, action_id, secret, "
      "CASE WHEN former_until > now() THEN former_secret END, revision, state = 'active', place, "
      "failures, greatest(0, extract(epoch FROM retry_at - now()) * 1000)::bigint, waiting_since, "
      "CASE WHEN ping_ended_at IS NULL THEN ping_asked_at END",
      {owner, lease.count(), most});
  if (!rows) return rows.error();
  std::vector<ClaimedWebhook> claimed;
  claimed.reserve(static_cast<std::size_t>(rows->size()));
  for (int row = 0; row < rows->size(); ++row) claimed.push_back(ClaimedAt(*rows, row));
  return claimed;
}

base::Result<bool> WebhookLeases::Delivered(const WebhookClaim& claim, const std::string& place,
                                            std::int64_t events,
                                            const std::optional<base::Timestamp>& waiting_since) {
  auto session = Session();
  if (!session) return std::move(session).error();
  const auto delivered = (*session)->Execute(
      "UPDATE webhooks SET place = $3, delivered = delivered + $4::bigint, "
      "last_success_at = now(), failures = 0, failing_since = NULL, retry_at = NULL, "
      "waiting_since = $5::timestamptz WHERE webhook_id = $1::bigint AND epoch = $2::bigint",
      {claim.id, claim.epoch, place, events, waiting_since});
  if (!delivered) return delivered.error();
  return delivered->affected() == 1;
}

// The database's clock decides how long it has failed, whichever process tries.
base::Result<WebhookAfter> WebhookLeases::Failed(const WebhookClaim& claim,
                                                 const WebhookFailure& failure) {
  auto session = Session();
  if (!session) return std::move(session).error();
  const auto rows = (*session)->Execute(
      "WITH judged AS (SELECT webhook_id, $6::boolean OR (failures + 1 >= $7::bigint AND "
      "  now() - failing_since >= $8::bigint * interval '1 millisecond') IS TRUE AS ends "
      "  FROM webhooks WHERE webhook_id = $1::bigint AND epoch = $2::bigint FOR UPDATE) "
      "UPDATE webhooks w SET failures = failures + 1, "
      "failing_since = coalesce(failing_since, now()), last_failure_at = now(), "
      "last_failure = $3, last_status = $4::int, "
      "retry_at = CASE WHEN NOT ends THEN now() + $5::bigint * interval '1 millisecond' END, "
      "waiting_since = $9::timestamptz, "
      "state = CASE WHEN ends THEN 'disabled' ELSE state END, "
      "disabled_at = CASE WHEN ends THEN now() END, disabled_reason = CASE WHEN ends THEN $3 END "
      "FROM judged WHERE w.webhook_id = judged.webhook_id AND state = 'active' RETURNING ends",
      {claim.id, claim.epoch, failure.reason, failure.status, failure.retry_in.count(),
       failure.for_ever, failure.most_failures, failure.longest.count(), failure.waiting_since});
  if (!rows) return rows.error();
  if (rows->empty()) return WebhookAfter::kLost;
  return rows->GetBool(0, 0) ? WebhookAfter::kDisabled : WebhookAfter::kActive;
}

base::Result<bool> WebhookLeases::PingEnded(const WebhookClaim& claim, base::Timestamp asked_at,
                                            const std::string& outcome) {
  auto session = Session();
  if (!session) return std::move(session).error();
  const auto ended = (*session)->Execute(
      "UPDATE webhooks SET ping_ended_at = now(), ping_outcome = $4 WHERE webhook_id = $1::bigint "
      "AND epoch = $2::bigint AND ping_asked_at = $3::timestamptz AND ping_ended_at IS NULL",
      {claim.id, claim.epoch, asked_at, outcome});
  if (!ended) return ended.error();
  return ended->affected() == 1;
}

base::Status WebhookLeases::Passed(std::span<const PassedPlace> places) {
  if (places.empty()) return {};
  auto session = Session();
  if (!session) return std::move(session).error();
  Int64Array ids, epochs;
  TextArray texts;
  for (const PassedPlace& each : places) {
    ids.Add(each.claim.id);
    epochs.Add(each.claim.epoch);
    texts.Add(each.place);
  }
  const auto passed = (*session)->Execute(
      "UPDATE webhooks w SET place = p.place FROM unnest($1::bigint[], $2::bigint[], $3::text[]) "
      "AS p(webhook_id, epoch, place) WHERE w.webhook_id = p.webhook_id AND w.epoch = p.epoch",
      {ids, epochs, texts});
  if (!passed) return passed.error();
  return {};
}

base::Status WebhookLeases::Release(const std::string& owner) {
  auto session = Session();
  if (!session) return std::move(session).error();
  const auto released = (*session)->Execute(
      "UPDATE webhooks SET lease_until = '-infinity' WHERE owner = $1 AND lease_until > now()",
      {owner});
  if (!released) return released.error();
  return {};
}

}  // namespace heliograph::postgres
