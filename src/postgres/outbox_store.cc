#include "postgres/outbox_store.h"

namespace heliograph::postgres {

base::Status AddToOutbox(Transaction& transaction, const std::vector<OutboxRow>& rows) {
  Int32Array partitions;
  Int32Array generations;
  Int64Array first;
  Int64Array last;
  TextArray events;
  for (const OutboxRow& row : rows) {
    partitions.Add(row.partition);
    generations.Add(row.generation);
    first.Add(row.first_offset);
    last.Add(row.last_offset);
    events.Add(row.events);
  }
  auto added = transaction.Execute(
      "INSERT INTO connection_log (log_partition, log_generation, first_offset, last_offset, "
      "events)"
      " SELECT unnest($1::int[]), unnest($2::int[]), unnest($3::bigint[]), unnest($4::bigint[]),"
      " unnest($5::text[])",
      {partitions, generations, first, last, events});
  if (!added) return std::move(added).error();
  return {};
}

base::Result<std::vector<OutboxRow>> ReadOutbox(Connection& connection, std::int32_t partition) {
  auto rows = connection.Execute(
      "SELECT log_generation, first_offset, last_offset, events FROM connection_log"
      " WHERE log_partition = $1::int AND (log_generation, first_offset) > ("
      "  coalesce((SELECT log_generation FROM connection_log_told WHERE log_partition = $1::int), "
      "0),"
      "  coalesce((SELECT first_offset FROM connection_log_told WHERE log_partition = $1::int), "
      "-1))"
      " ORDER BY log_generation, first_offset",
      {partition});
  if (!rows) return std::move(rows).error();
  std::vector<OutboxRow> outbox;
  for (int row = 0; row < rows->size(); ++row) {
    outbox.push_back({partition, static_cast<std::int32_t>(rows->GetInt64(row, 0)),
                      rows->GetInt64(row, 1), rows->GetInt64(row, 2),
                      std::string(rows->Get(row, 3))});
  }
  return outbox;
}

base::Result<std::vector<OutboxPlace>> OldestInOutbox(Connection& connection) {
  auto rows = connection.Execute(
      "SELECT l.log_partition, l.log_generation, l.first_offset"
      " FROM (SELECT DISTINCT partition FROM kafka_offsets) AS p"
      " LEFT JOIN connection_log_told t ON t.log_partition = p.partition"
      " CROSS JOIN LATERAL (SELECT * FROM connection_log l WHERE l.log_partition = p.partition"
      "  AND (l.log_generation, l.first_offset) >"
      "   (coalesce(t.log_generation, 0), coalesce(t.first_offset, -1))"
      "  ORDER BY l.log_generation, l.first_offset LIMIT 1) AS l ORDER BY l.log_partition");
  if (!rows) return std::move(rows).error();
  std::vector<OutboxPlace> oldest;
  for (int row = 0; row < rows->size(); ++row) {
    oldest.push_back({static_cast<std::int32_t>(rows->GetInt64(row, 0)),
                      static_cast<std::int32_t>(rows->GetInt64(row, 1)), rows->GetInt64(row, 2)});
  }
  return oldest;
}

base::Status NoteTold(Transaction& transaction, const std::vector<OutboxPlace>& up_to) {
  Int32Array partitions;
  Int32Array generations;
  Int64Array first;
  for (const OutboxPlace& place : up_to) {
    partitions.Add(place.partition);
    generations.Add(place.generation);
    first.Add(place.first_offset);
  }
  auto noted = transaction.Execute(
      "INSERT INTO connection_log_told AS t (log_partition, log_generation, first_offset)"
      " SELECT unnest($1::int[]), unnest($2::int[]), unnest($3::bigint[])"
      " ON CONFLICT (log_partition) DO UPDATE"
      " SET log_generation = excluded.log_generation, first_offset = excluded.first_offset"
      " WHERE (t.log_generation, t.first_offset) < (excluded.log_generation, "
      "excluded.first_offset)",
      {partitions, generations, first});
  if (!noted) return std::move(noted).error();
  return {};
}

}  // namespace heliograph::postgres
