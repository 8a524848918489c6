#include "postgres/connection_store.h"

#include <algorithm>

namespace heliograph::postgres {
namespace {

using device::Connection;
using device::Description;
using device::Interval;

// Columns of an interval, from `column` on: generation, partition, offset, from, until, reason,
// session, message.
constexpr std::string_view kIntervalColumns =
    "i.opened_generation, i.opened_partition, i.opened_offset, i.online_from, i.online_until, "
    "i.reason,"
    " i.session_id, i.message_id";

Interval ReadInterval(const Rows& rows, int row, int column) {
  Interval interval;
  interval.opened_at = {static_cast<std::int32_t>(rows.GetInt64(row, column + 1)),
                        rows.GetInt64(row, column + 2)};
  interval.online_from = rows.GetTimestamp(row, column + 3);
  interval.online_until = rows.GetOptionalTimestamp(row, column + 4);
  interval.end_reason = rows.Get(row, column + 5);
  if (!rows.IsNull(row, column + 6)) interval.session_id.emplace(rows.Get(row, column + 6));
  interval.message_id = device::MessageId(rows.Get(row, column + 7));
  return interval;
}

void AddInterval(const Rows& rows, int row, int column, StoredHistory& history) {
  const auto generation = static_cast<std::int32_t>(rows.GetInt64(row, column));
  Interval interval = ReadInterval(rows, row, column);
  auto& known = history.history.intervals;
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (known[i].opened_at == interval.opened_at && history.generations[i] == generation) return;
  }
  known.push_back(std::move(interval));
  history.generations.push_back(generation);
}

device::ConnectionState StateNamed(std::string_view name) {
  if (name == "online") return device::ConnectionState::kOnline;
  if (name == "offline") return device::ConnectionState::kOffline;
  return device::ConnectionState::kUnknown;
}

StoredHistory ReadHistory(const Rows& rows, int row) {
  StoredHistory history;
  history.stored = true;
  Connection& connection = history.history.connection;
  if (!rows.IsNull(row, 1)) connection.tenant.emplace(rows.Get(row, 1));
  connection.state = StateNamed(rows.Get(row, 2));
  connection.since = rows.GetTimestamp(row, 3);
  connection.reason = rows.Get(row, 4);
  connection.last_seen = rows.GetTimestamp(row, 5);
  if (!rows.IsNull(row, 6)) connection.session_id.emplace(rows.Get(row, 6));
  connection.description.client_name = rows.Get(row, 7);
  connection.description.client_version = rows.Get(row, 8);
  connection.position = {static_cast<std::int32_t>(rows.GetInt64(row, 9)), rows.GetInt64(row, 10)};
  connection.description.canonical_facts = rows.GetJson(row, 11);
  connection.description.dispatchers = rows.GetJson(row, 12);
  connection.description.tags = rows.GetJson(row, 13);
  history.stored_description = connection.description;
  if (!rows.IsNull(row, 14)) AddInterval(rows, row, 14, history);
  return history;
}

// "" and "null" are NULL in the tables.
void AddOrNull(TextArray& array, std::string_view text) {
  if (text.empty()) {
    array.AddNull();
  } else {
    array.Add(text);
  }
}

void AddJson(TextArray& array, std::string_view json) {
  AddOrNull(array, json == "null" ? std::string_view() : json);
}

template <class Id>
void AddId(TextArray& array, const std::optional<Id>& id) {
  AddOrNull(array, id ? id->view() : std::string_view());
}

base::Status ToStatus(base::Result<Rows> rows) {
  if (!rows) return std::move(rows).error();
  return {};
}

// Arrays are unnested side by side in the list of SELECT, where rows pass one by one; a FROM would
// first write all of them to a temporary store, and to a file where they are more than work_mem.
base::Status SaveConnections(Transaction& transaction, std::span<const StoredHistory> histories,
                             const std::map<std::int32_t, std::int32_t>& generations) {
  TextArray ids, tenants, states, reasons, sessions, names, versions;
  TimestampArray since, last_seen;
  Int32Array log_generations, partitions;
  Int64Array offsets;
  for (const StoredHistory& one : histories) {
    const Connection& connection = one.history.connection;
    ids.Add(connection.client_id.view());
    AddId(tenants, connection.tenant);
    states.Add(device::ConnectionStateName(connection.state));
    since.Add(connection.since);
    AddOrNull(reasons, connection.reason);
    last_seen.Add(connection.last_seen);
    AddId(sessions, connection.session_id);
    AddOrNull(names, connection.description.client_name);
    AddOrNull(versions, connection.description.client_version);
    log_generations.Add(generations.at(connection.position.partition));
    partitions.Add(connection.position.partition);
    offsets.Add(connection.position.offset);
  }
  return ToStatus(transaction.Execute(
      "INSERT INTO connections AS c (client_id, tenant, state, since, reason, last_seen, "
      "session_id, client_name,"
      " client_version, log_generation, log_partition, log_offset)"
      " SELECT unnest($1::text[]), unnest($2::text[]), unnest($3::text[]),"
      " unnest($4::timestamptz[]), unnest($5::text[]), unnest($6::timestamptz[]),"
      " unnest($7::text[]), unnest($8::text[]), unnest($9::text[]), unnest($10::int[]),"
      " unnest($11::int[]), unnest($12::bigint[])"
      " ON CONFLICT (client_id) DO UPDATE SET tenant = excluded.tenant, state = excluded.state,"
      " since = excluded.since, reason = excluded.reason, last_seen = excluded.last_seen,"
      " session_id = excluded.session_id, client_name = excluded.client_name,"
      " client_version = excluded.client_version, log_generation = excluded.log_generation,"
      " log_partition = excluded.log_partition, log_offset = excluded.log_offset, older_than_log = "
      "false",
      {ids, tenants, states, since, reasons, last_seen, sessions, names, versions, log_generations,
       partitions, offsets}));
}

bool SameJson(const Description& left, const Description& right) {
  return left.canonical_facts == right.canonical_facts && left.dispatchers == right.dispatchers &&
         left.tags == right.tags;
}

// The labels of the connections whose tags or dispatchers changed. `descriptions` still has the old
// ones.
base::Status SaveLabels(Transaction& transaction, std::span<const StoredHistory> histories) {
  TextArray ids, dispatchers, tags;
  for (const StoredHistory& one : histories) {
    const Description& description = one.history.connection.description;
    if (description.dispatchers == one.stored_description.dispatchers &&
        description.tags == one.stored_description.tags) {
      continue;
    }
    ids.Add(one.history.connection.client_id.view());
    AddJson(dispatchers, description.dispatchers);
    AddJson(tags, description.tags);
  }
  if (ids.size() == 0) return {};
  auto removed = transaction.Execute(
      "DELETE FROM connection_labels l USING connection_descriptions d, labels_of(d.tags, "
      "d.dispatchers) AS old(label)"
      " WHERE d.client_id = ANY($1::text[]) AND l.client_id = d.client_id AND l.label = old.label",
      {ids});
  if (!removed) return std::move(removed).error();
  return ToStatus(transaction.Execute(
      "INSERT INTO connection_labels (label, client_id) SELECT new.label, n.client_id"
      " FROM unnest($1::text[], $2::text[], $3::text[]) AS n(client_id, tags, dispatchers),"
      " labels_of(n.tags::json, n.dispatchers::json) AS new(label)"
      " ON CONFLICT DO NOTHING",
      {ids, tags, dispatchers}));
}

base::Status SaveDescriptions(Transaction& transaction, std::span<const StoredHistory> histories) {
  if (auto labels = SaveLabels(transaction, histories); !labels) return labels;
  TextArray ids, facts, dispatchers, tags;
  for (const StoredHistory& one : histories) {
    const Description& description = one.history.connection.description;
    if (SameJson(description, one.stored_description)) continue;
    ids.Add(one.history.connection.client_id.view());
    AddJson(facts, description.canonical_facts);
    AddJson(dispatchers, description.dispatchers);
    AddJson(tags, description.tags);
  }
  if (ids.size() == 0) return {};
  return ToStatus(transaction.Execute(
      "INSERT INTO connection_descriptions (client_id, canonical_facts, dispatchers, tags)"
      " SELECT unnest($1::text[]), unnest($2::text[])::json, unnest($3::text[])::json,"
      " unnest($4::text[])::json"
      " ON CONFLICT (client_id) DO UPDATE SET canonical_facts = excluded.canonical_facts,"
      " dispatchers = excluded.dispatchers, tags = excluded.tags",
      {ids, facts, dispatchers, tags}));
}

base::Status SaveIntervals(Transaction& transaction, std::span<const StoredHistory> histories,
                           const std::map<std::int32_t, std::int32_t>& generations) {
  TextArray ids, reasons, sessions, messages;
  TimestampArray from, until;
  Int32Array opened_generations, partitions;
  Int64Array offsets;
  for (const StoredHistory& one : histories) {
    for (std::size_t i = 0; i < one.history.intervals.size(); ++i) {
      const Interval& interval = one.history.intervals[i];
      if (!interval.touched) continue;
      ids.Add(one.history.connection.client_id.view());
      opened_generations.Add(i < one.generations.size()
                                 ? one.generations[i]
                                 : generations.at(interval.opened_at.partition));
      partitions.Add(interval.opened_at.partition);
      offsets.Add(interval.opened_at.offset);
      from.Add(interval.online_from);
      until.AddOptional(interval.online_until);
      AddOrNull(reasons, interval.end_reason);
      AddId(sessions, interval.session_id);
      AddOrNull(messages, interval.message_id.view());
    }
  }
  if (ids.size() == 0) return {};
  return ToStatus(transaction.Execute(
      "INSERT INTO intervals (client_id, opened_generation, opened_partition, opened_offset, "
      "online_from,"
      " online_until, reason, session_id, message_id)"
      " SELECT unnest($1::text[]), unnest($2::int[]), unnest($3::int[]), unnest($4::bigint[]),"
      " unnest($5::timestamptz[]), unnest($6::timestamptz[]), unnest($7::text[]),"
      " unnest($8::text[]), unnest($9::text[])"
      " ON CONFLICT (client_id, online_from, opened_generation, opened_partition, opened_offset)"
      " DO UPDATE SET online_until = excluded.online_until, reason = excluded.reason",
      {ids, opened_generations, partitions, offsets, from, until, reasons, sessions, messages}));
}

base::Result<std::vector<OwnedConnection>> ReadOwners(base::Result<Rows> rows) {
  if (!rows) return std::move(rows).error();
  std::vector<OwnedConnection> connections;
  for (int row = 0; row < rows->size(); ++row) {
    OwnedConnection one{device::ClientId(rows->Get(row, 0)), std::nullopt};
    if (!rows->IsNull(row, 1)) one.tenant.emplace(rows->Get(row, 1));
    connections.push_back(std::move(one));
  }
  return connections;
}

}  // namespace

base::Result<std::vector<StoredHistory>> LoadHistories(
    Transaction& transaction, std::span<const device::ClientId> client_ids) {
  TextArray ids;
  for (const device::ClientId& id : client_ids) ids.Add(id.view());
  static const std::string sql =
      "SELECT w.n, c.tenant, c.state, c.since, c.reason, c.last_seen, c.session_id, c.client_name,"
      " c.client_version, c.log_partition, c.log_offset, d.canonical_facts, d.dispatchers, "
      "d.tags, " +
      std::string(kIntervalColumns) +
      " FROM unnest($1::text[]) WITH ORDINALITY AS w(client_id, n)"
      " JOIN connections c ON c.client_id = w.client_id"
      " LEFT JOIN connection_descriptions d ON d.client_id = c.client_id"
      // The open stay began when the connection came into its state; so no index on "open" is
      // needed, which every closing would have to write to.
      " LEFT JOIN intervals i ON c.state = 'online' AND i.client_id = c.client_id"
      " AND i.online_from = c.since AND i.online_until IS NULL";
  auto rows = transaction.Execute(sql, {ids});
  if (!rows) return std::move(rows).error();
  std::vector<StoredHistory> histories(client_ids.size());
  for (int row = 0; row < rows->size(); ++row) {
    StoredHistory& history = histories[static_cast<std::size_t>(rows->GetInt64(row, 0)) - 1];
    history = ReadHistory(*rows, row);
  }
  for (std::size_t i = 0; i < client_ids.size(); ++i) {
    histories[i].history.connection.client_id = client_ids[i];
  }
  return histories;
}

base::Status LoadOpenedStays(Transaction& transaction, std::span<const WantedStay> wanted,
                             std::vector<StoredHistory>& histories) {
  if (wanted.empty()) return {};
  Int64Array numbers;
  TextArray ids, sessions, messages;
  for (const WantedStay& one : wanted) {
    numbers.Add(static_cast<std::int64_t>(one.history));
    ids.Add(histories[one.history].history.connection.client_id.view());
    sessions.Add(one.session_id.view());
    messages.Add(one.message_id.view());
  }
  static const std::string sql =
      "SELECT w.n, " + std::string(kIntervalColumns) +
      " FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) AS w(n, client_id, "
      "session_id, message_id)"
      " JOIN intervals i ON i.client_id = w.client_id AND i.session_id = w.session_id"
      " AND i.message_id = w.message_id"
      " ORDER BY i.online_from, i.opened_generation, i.opened_partition, i.opened_offset";
  auto rows = transaction.Execute(sql, {numbers, ids, sessions, messages});
  if (!rows) return std::move(rows).error();
  for (int row = 0; row < rows->size(); ++row) {
    AddInterval(*rows, row, 1, histories[static_cast<std::size_t>(rows->GetInt64(row, 0))]);
  }
  return {};
}

base::Status LoadEndedStays(Transaction& transaction, std::span<const WantedEnd> wanted,
                            std::vector<StoredHistory>& histories) {
  if (wanted.empty()) return {};
  Int64Array numbers;
  TextArray ids, sessions;
  Int32Array enough;
  for (const WantedEnd& one : wanted) {
    numbers.Add(static_cast<std::int64_t>(one.history));
    ids.Add(histories[one.history].history.connection.client_id.view());
    sessions.Add(one.session_id.view());
    enough.Add(one.enough);
  }
  static const std::string sql =
      "SELECT w.n, " + std::string(kIntervalColumns) +
      " FROM unnest($1::bigint[], $2::text[], $3::text[], $4::int[]) AS w(n, client_id, "
      "session_id, enough),"
      " LATERAL (SELECT * FROM intervals WHERE client_id = w.client_id AND session_id = "
      "w.session_id"
      " AND online_until IS NOT NULL LIMIT w.enough) AS i"
      " ORDER BY i.online_from, i.opened_generation, i.opened_partition, i.opened_offset";
  auto rows = transaction.Execute(sql, {numbers, ids, sessions, enough});
  if (!rows) return std::move(rows).error();
  for (int row = 0; row < rows->size(); ++row) {
    AddInterval(*rows, row, 1, histories[static_cast<std::size_t>(rows->GetInt64(row, 0))]);
  }
  return {};
}

base::Status SaveHistories(Transaction& transaction, std::span<const StoredHistory> histories,
                           const std::map<std::int32_t, std::int32_t>& generations) {
  if (histories.empty()) return {};
  if (auto saved = SaveConnections(transaction, histories, generations); !saved) return saved;
  if (auto saved = SaveDescriptions(transaction, histories); !saved) return saved;
  return SaveIntervals(transaction, histories, generations);
}

base::Result<std::vector<OwnedConnection>> ListOwners(Transaction& transaction,
                                                      std::int32_t partition,
                                                      const device::ClientId& after,
                                                      std::int64_t limit) {
  return ReadOwners(transaction.Execute(
      "SELECT client_id, tenant FROM connections WHERE client_id > $1 AND log_partition = $2::int"
      " ORDER BY client_id LIMIT $3::bigint",
      {after, partition, limit}));
}

base::Result<std::vector<OwnedConnection>> ListUnowned(Transaction& transaction,
                                                       std::int32_t partition,
                                                       const device::ClientId& after,
                                                       std::int64_t limit) {
  return ReadOwners(transaction.Execute(
      "SELECT client_id, tenant FROM connections WHERE tenant IS NULL AND client_id > $1"
      " AND log_partition = $2::int ORDER BY client_id LIMIT $3::bigint",
      {after, partition, limit}));
}

base::Result<std::int64_t> SaveOwners(Transaction& transaction, std::int32_t partition,
                                      std::span<const OwnedConnection> connections) {
  if (connections.empty()) return 0;
  TextArray ids, tenants;
  for (const OwnedConnection& one : connections) {
    ids.Add(one.client_id.view());
    AddId(tenants, one.tenant);
  }
  auto changed = transaction.Execute(
      "UPDATE connections c SET tenant = n.tenant FROM unnest($1::text[], "
      "$2::text[]) AS n(client_id, tenant)"
      " WHERE c.client_id = n.client_id AND c.log_partition = $3::int"
      " AND c.tenant IS DISTINCT FROM n.tenant",
      {ids, tenants, partition});
  if (!changed) return std::move(changed).error();
  return changed->affected();
}

}  // namespace heliograph::postgres
