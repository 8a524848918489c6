#include "postgres/dispatch_queue.h"

#include <algorithm>
#include <set>
#include <utility>

#include "postgres/action_writes.h"
#include "postgres/array.h"
#include "postgres/settled_turns.h"

namespace heliograph::postgres {
namespace {

using std::chrono::milliseconds;

// Of the actions of one Claim, in memory.
constexpr std::int64_t kMostClaimedBytes = 16 * 1024 * 1024;

base::Result<std::vector<Mail>> ReadMail(const Rows& rows) {
  std::vector<Mail> mail;
  mail.reserve(static_cast<std::size_t>(rows.size()));
  for (int row = 0; row < rows.size(); ++row) {
    Mail one{device::ClientId(rows.Get(row, 0)), rows.GetInt64(row, 1), rows.GetBool(row, 2), {}};
    if (!rows.IsNull(row, 3)) {
      one.first = WaitingTarget{action::ActionId(rows.Get(row, 3)),
                                rows.GetBool(row, 4),
                                rows.GetInt64(row, 5),
                                milliseconds(rows.GetInt64(row, 6)),
                                rows.GetInt64(row, 7),
                                std::string(rows.Get(row, 8)),
                                rows.GetBool(row, 9),
                                rows.GetBool(row, 10),
                                rows.GetBool(row, 11),
                                rows.GetBool(row, 12)};
    }
    mail.push_back(std::move(one));
  }
  return mail;
}

base::Status ReadActions(Connection& connection, Claimed& claimed) {
  std::set<action::ActionId> wanted;
  for (const Mail& mail : claimed.mail) {
    if (mail.reachable && mail.first && mail.first->open) wanted.insert(mail.first->action_id);
  }
  if (wanted.empty()) return {};
  TextArray ids;
  for (const action::ActionId& id : wanted) ids.Add(id.view());
  const auto rows = connection.Execute(
      "SELECT action_id, directive, payload, metadata, deadline, requested_by, tenant,"
      "  extract(epoch FROM now() - created_at)::bigint FROM ("
      "  SELECT *, sum(octet_length(payload::text) + coalesce(octet_length(metadata::text), 0))"
      "      OVER (ORDER BY action_id) AS so_far,"
      "    row_number() OVER (ORDER BY action_id) AS place"
      "  FROM actions WHERE action_id = ANY ($1::text[]::uuid[])) AS measured "
      "WHERE so_far <= $2::bigint OR place = 1",
      {ids, kMostClaimedBytes});
  if (!rows) return rows.error();
  for (int row = 0; row < rows->size(); ++row) {
    claimed.actions.emplace(
        rows->Get(row, 0),
        QueuedAction{action::Directive(rows->Get(row, 1)), std::string(rows->Get(row, 2)),
                     rows->GetJson(row, 3), rows->GetTimestamp(row, 4),
                     std::string(rows->Get(row, 5)),
                     rows->IsNull(row, 6) ? std::nullopt
                                          : std::optional(device::TenantId(rows->Get(row, 6))),
                     std::chrono::seconds(rows->GetInt64(row, 7))});
  }
  return {};
}

// Targets first, then what is queued, then mailboxes: the order of all who lock several.
base::Status SettleTargets(Transaction& transaction, std::span<const Settlement> settlements) {
  std::vector<const Settlement*> sorted;
  for (const Settlement& each : settlements) {
    if (each.action_id) sorted.push_back(&each);
  }
  if (sorted.empty()) return {};
  std::sort(sorted.begin(), sorted.end(), [](const Settlement* one, const Settlement* other) {
    return std::pair(*one->action_id, one->client_id) <
           std::pair(*other->action_id, other->client_id);
  });
  TextArray action_ids, client_ids, statuses, reasons;
  BoolArray removed, tried, paused_once;
  for (const Settlement* each : sorted) {
    action_ids.Add(each->action_id->view());
    client_ids.Add(each->client_id.view());
    const auto status = each->event ? action::Next(action::TargetStatus::kQueued, *each->event)
                                    : std::optional<action::TargetStatus>();
    status ? statuses.Add(action::TargetStatusName(*status)) : statuses.AddNull();
    each->reason.empty() ? reasons.AddNull() : reasons.Add(each->reason);
    removed.Add(each->remove);
    tried.Add(each->tried);
    paused_once.Add(each->next == Settlement::Next::kLater);
  }
  // Whoever deletes from the queue holds the target first, also where it has ended already.
  const auto locked = transaction.Execute(
      "SELECT FROM unnest($1::text[], $2::text[]) AS s(action_id, client_id) "
      "JOIN action_targets t ON t.action_id = s.action_id::uuid AND t.client_id = s.client_id "
      "ORDER BY t.action_id, t.client_id FOR UPDATE OF t",
      {action_ids, client_ids});
  if (!locked) return locked.error();
  if (base::Status turns = SettleTurns(transaction, sorted); !turns) return turns;
  // Whatever is to happen to a target that waits happens only while it waits.
  const auto changed = transaction.Execute(
      "UPDATE action_targets t SET status = coalesce(s.new_status, t.status), reason = s.reason, "
      "updated_at = now() FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])"
      "  AS s(action_id, client_id, new_status, reason) "
      "WHERE t.action_id = s.action_id::uuid AND t.client_id = s.client_id AND t.status = 'queued'"
      "  AND (s.new_status IS NOT NULL OR s.reason IS NOT NULL)",
      {action_ids, client_ids, statuses, reasons});
  if (!changed) return changed.error();
  const auto gone = transaction.Execute(
      "DELETE FROM queued_targets q USING unnest($1::text[], $2::text[], $3::boolean[])"
      "  AS s(action_id, client_id, removed) "
      "WHERE removed AND q.client_id = s.client_id AND q.action_id = s.action_id::uuid",
      {action_ids, client_ids, removed});
  if (!gone) return gone.error();
  const auto paused = transaction.Execute(
      "UPDATE queued_targets q SET pauses = pauses + s.paused::int, tries = tries + s.tried::int "
      "FROM unnest($1::text[], $2::text[], $3::boolean[], $4::boolean[], $5::boolean[])"
      "  AS s(action_id, client_id, removed, tried, paused) "
      "WHERE NOT removed AND q.client_id = s.client_id AND q.action_id = s.action_id::uuid",
      {action_ids, client_ids, removed, tried, paused_once});
  if (!paused) return paused.error();
  return {};
}

base::Status SettleMailboxes(Transaction& transaction, const std::string& owner,
                             std::span<const Settlement> settlements) {
  TextArray client_ids;
  Int64Array arrivals, later;
  BoolArray when_online;
  for (const Settlement& each : settlements) {
    client_ids.Add(each.client_id.view());
    arrivals.Add(each.arrivals);
    when_online.Add(each.next == Settlement::Next::kWhenOnline);
    later.Add(each.next == Settlement::Next::kLater ? each.later.count() : 0);
  }
  // In one order, before the statements that find them in two.
  const auto locked = transaction.Execute(
      "SELECT FROM mailboxes WHERE client_id = ANY ($1::text[]) AND owner = $2 "
      "ORDER BY client_id FOR UPDATE",
      {client_ids, owner});
  if (!locked) return locked.error();
  // Whoever put something in since then has raised `arrivals`.
  const auto emptied = transaction.Execute(
      "DELETE FROM mailboxes m USING unnest($1::text[], $2::bigint[]) AS s(client_id, arrivals) "
      "WHERE m.client_id = s.client_id AND m.owner = $3 AND m.arrivals = s.arrivals "
      "AND NOT EXISTS (SELECT FROM queued_targets q WHERE q.client_id = m.client_id)",
      {client_ids, arrivals, owner});
  if (!emptied) return emptied.error();
  // Its device may have come online meanwhile: then it is due whatever we thought.
  const auto given_back = transaction.Execute(
      "UPDATE mailboxes m SET owner = NULL, wake_at = least(m.wake_at, CASE WHEN s.when_online "
      "THEN 'infinity' ELSE now() + s.later * interval '1 millisecond' END) "
      "FROM unnest($1::text[], $2::boolean[], $3::bigint[]) AS s(client_id, when_online, later) "
      "WHERE m.client_id = s.client_id AND m.owner = $4",
      {client_ids, when_online, later, owner});
  if (!given_back) return given_back.error();
  return {};
}

}  // namespace

base::Result<std::vector<device::ClientId>> WakeMailboxes(
    Connection& connection, std::span<const device::ClientId> client_ids) {
  TextArray ids;
  for (const device::ClientId& id : client_ids) ids.Add(id.view());
  const auto rows = connection.Execute(
      "WITH present AS MATERIALIZED ("
      "  SELECT client_id FROM mailboxes WHERE client_id = ANY ($1::text[])),"
      " locked AS MATERIALIZED ("
      "  SELECT m.client_id FROM mailboxes m JOIN present p ON p.client_id = m.client_id"
      "  ORDER BY m.client_id FOR UPDATE OF m SKIP LOCKED),"
      " woken AS ("
      "  UPDATE mailboxes m SET wake_at = now() FROM locked WHERE m.client_id = locked.client_id"
      "  RETURNING m.client_id),"
      " told AS (SELECT pg_notify($2, '') FROM woken LIMIT 1) "
      "SELECT (SELECT count(*) FROM told), string_agg(client_id, ',')"
      "  FROM (SELECT client_id FROM present EXCEPT SELECT client_id FROM woken) AS missed",
      {ids, kDispatchChannel});
  if (!rows) return rows.error();
  std::vector<device::ClientId> missed;
  std::string_view left = rows->Get(0, 1);
  while (!left.empty()) {
    const std::size_t comma = std::min(left.find(','), left.size());
    missed.emplace_back(left.substr(0, comma));
    left.remove_prefix(std::min(comma + 1, left.size()));
  }
  return missed;
}

base::Result<Pool::Lease> DispatchQueue::Session() const {
  return pool_.Acquire(std::chrono::steady_clock::now() + wait_);
}

base::Status DispatchQueue::Register(const std::string& client_id, milliseconds lease) {
  auto session = Session();
  if (!session) return std::move(session).error();
  const auto registered = (*session)->Execute(
      "INSERT INTO dispatchers (client_id, lease_until) "
      "VALUES ($1, now() + $2::bigint * interval '1 millisecond')",
      {client_id, lease.count()});
  if (!registered) return registered.error();
  return {};
}

base::Result<bool> DispatchQueue::Renew(const std::string& client_id, milliseconds lease) {
  auto session = Session();
  if (!session) return std::move(session).error();
  const auto renewed = (*session)->Execute(
      "UPDATE dispatchers SET lease_until = now() + $2::bigint * interval '1 millisecond' "
      "WHERE client_id = $1 AND NOT lost",
      {client_id, lease.count()});
  if (!renewed) return renewed.error();
  return renewed->affected() == 1;
}

base::Result<std::optional<std::string>> DispatchQueue::TakeLapsed(const std::string& own,
                                                                   milliseconds grace,
                                                                   milliseconds hold) {
  auto session = Session();
  if (!session) return std::move(session).error();
  const auto taken = (*session)->Execute(
      "UPDATE dispatchers SET lost = true, lease_until = now() + $3::bigint * interval '1 "
      "millisecond' WHERE client_id = (SELECT client_id FROM dispatchers"
      "  WHERE lease_until < now() - $2::bigint * interval '1 millisecond' AND client_id <> $1"
      "    AND EXISTS (SELECT FROM dispatchers o WHERE o.client_id = $1 AND NOT o.lost"
      "      AND o.lease_until > now())"
      "  ORDER BY lease_until LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING client_id",
      {own, grace.count(), hold.count()});
  if (!taken) return taken.error();
  if (taken->empty()) return std::optional<std::string>();
  return std::optional(std::string(taken->Get(0, 0)));
}

base::Status DispatchQueue::Release(const std::string& client_id) {
  auto session = Session();
  if (!session) return std::move(session).error();
  auto transaction = Transaction::Begin(**session);
  if (!transaction) return std::move(transaction).error();
  const auto released = transaction->Execute(
      "WITH released AS ("
      "  UPDATE mailboxes SET owner = NULL, wake_at = now() WHERE client_id IN ("
      "    SELECT client_id FROM mailboxes WHERE owner = $1 ORDER BY client_id FOR UPDATE)"
      "  RETURNING 1) "
      "SELECT pg_notify($2, '') FROM released LIMIT 1",
      {client_id, kDispatchChannel});
  if (!released) return released.error();
  const auto gone =
      transaction->Execute("DELETE FROM dispatchers WHERE client_id = $1", {client_id});
  if (!gone) return gone.error();
  return transaction->Commit();
}

base::Result<Claimed> DispatchQueue::Claim(const std::string& owner, std::int64_t most) {
  auto session = Session();
  if (!session) return std::move(session).error();
  // Each target is looked up by its key, one for each mailbox: of a join PostgreSQL reads all
  // targets, or their whole index, again and again, as long as it has not counted a new action's.
  const auto rows = (*session)->Execute(
      "WITH live AS (SELECT client_id FROM dispatchers WHERE client_id = $1 AND NOT lost FOR KEY "
      "SHARE),"
      " left_over AS MATERIALIZED ("
      "  SELECT client_id FROM mailboxes WHERE owner = $1 AND EXISTS (SELECT FROM live)"
      "  LIMIT $2::bigint FOR UPDATE SKIP LOCKED),"
      " due AS MATERIALIZED ("
      "  SELECT client_id FROM mailboxes WHERE owner IS NULL AND wake_at <= now()"
      "    AND EXISTS (SELECT FROM live)"
      "  ORDER BY wake_at LIMIT $2::bigint - $2::bigint / 10 FOR UPDATE SKIP LOCKED),"
      " youngest AS MATERIALIZED ("
      "  SELECT client_id FROM mailboxes WHERE owner IS NULL AND wake_at <= now()"
      "    AND EXISTS (SELECT FROM live)"
      "  ORDER BY wake_at DESC LIMIT $2::bigint / 10 FOR UPDATE SKIP LOCKED),"
      " claimed AS ("
      "  UPDATE mailboxes m SET owner = $1, wake_at = 'infinity'"
      "  FROM (SELECT client_id FROM left_over UNION SELECT client_id FROM due "
      "    UNION SELECT client_id FROM youngest) AS wanted"
      "  WHERE m.client_id = wanted.client_id RETURNING m.client_id, m.arrivals) "
      "SELECT claimed.client_id, claimed.arrivals, coalesce(c.state <> 'offline', false),"
      "  q.action_id, t.status = 'queued' AND a.deadline > now(), q.tries,"
      "  (extract(epoch FROM a.deadline - now()) * 1000)::bigint, q.pauses, t.reason,"
      "  a.if_offline = 'queue', a.paused_at IS NOT NULL, a.paced, t.permitted "
      "FROM claimed LEFT JOIN connections c ON c.client_id = claimed.client_id "
      "LEFT JOIN LATERAL ("
      "  SELECT action_id, tries, pauses FROM queued_targets"
      "  WHERE client_id = claimed.client_id ORDER BY place LIMIT 1) AS q ON true "
      "LEFT JOIN LATERAL ("
      "  SELECT status, reason, permitted FROM action_targets"
      "  WHERE action_id = q.action_id AND client_id = claimed.client_id LIMIT 1) AS t ON true "
      "LEFT JOIN actions a ON a.action_id = q.action_id",
      {owner, most});
  if (!rows) return rows.error();
  auto mail = ReadMail(*rows);
  if (!mail) return std::move(mail).error();
  Claimed claimed{*std::move(mail), {}};
  if (base::Status read = ReadActions(**session, claimed); !read) return std::move(read).error();
  return claimed;
}

base::Status DispatchQueue::Settle(const std::string& owner,
                                   std::span<const Settlement> settlements) {
  if (settlements.empty()) return {};
  auto session = Session();
  if (!session) return std::move(session).error();
  auto transaction = Transaction::Begin(**session);
  if (!transaction) return std::move(transaction).error();
  std::vector<Settlement> sorted(settlements.begin(), settlements.end());
  std::sort(sorted.begin(), sorted.end(), [](const Settlement& one, const Settlement& other) {
    return one.client_id < other.client_id;
  });
  if (base::Status woken = WakeRollouts(*transaction, sorted); !woken) return woken;
  if (base::Status targets = SettleTargets(*transaction, sorted); !targets) return targets;
  if (base::Status boxes = SettleMailboxes(*transaction, owner, sorted); !boxes) return boxes;
  return transaction->Commit();
}

base::Result<device::ClientId> DispatchQueue::Sweep(const device::ClientId& after,
                                                    std::int64_t most) {
  auto session = Session();
  if (!session) return std::move(session).error();
  // Each target by its key, as in Claim.
  const auto rows = (*session)->Execute(
      "WITH part AS MATERIALIZED ("
      "  SELECT client_id, owner, wake_at FROM mailboxes WHERE client_id > $1"
      "  ORDER BY client_id LIMIT $2::bigint),"
      " forgotten AS ("
      "  SELECT part.client_id FROM part LEFT JOIN connections c ON c.client_id = part.client_id"
      "  LEFT JOIN LATERAL ("
      "    SELECT 1 AS one FROM queued_targets q"
      "    WHERE q.client_id = part.client_id AND (SELECT t.status FROM action_targets t"
      "      WHERE t.action_id = q.action_id AND t.client_id = q.client_id) = 'queued'"
      "    LIMIT 1) AS waits ON true"
      "  WHERE part.owner IS NULL AND part.wake_at = 'infinity'"
      "    AND (c.state <> 'offline' OR waits.one IS NULL)),"
      " woken AS ("
      "  UPDATE mailboxes SET wake_at = now() WHERE client_id IN ("
      "    SELECT m.client_id FROM mailboxes m JOIN forgotten f ON f.client_id = m.client_id"
      "    ORDER BY m.client_id FOR UPDATE OF m SKIP LOCKED) RETURNING 1),"
      " told AS (SELECT pg_notify($3, '') FROM woken LIMIT 1) "
      "SELECT max(client_id), count(*), (SELECT count(*) FROM told) FROM part",
      {after, most, kDispatchChannel});
  if (!rows) return rows.error();
  if (rows->GetInt64(0, 1) < most) return device::ClientId();
  return device::ClientId(rows->Get(0, 0));
}

}  // namespace heliograph::postgres
