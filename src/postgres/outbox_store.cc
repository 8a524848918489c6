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
      "INSERT INTO connection_events_outbox (log_partition, log_generation, first_offset, "
      "last_offset, events)"
      " SELECT unnest($1::int[]), unnest($2::int[]), unnest($3::bigint[]), unnest($4::bigint[]),"
      " unnest($5::text[])",
      {partitions, generations, first, last, events});
  if (!added) return std::move(added).error();
  return {};
}

base::Result<std::vector<OutboxRow>> ReadOutbox(Connection& connection, std::int32_t partition) {
  auto rows = connection.Execute(
      "SELECT log_generation, first_offset, last_offset, events FROM connection_events_outbox"
      " WHERE log_partition = $1::int ORDER BY log_generation, first_offset",
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
      "SELECT DISTINCT ON (log_partition) log_partition, log_generation, first_offset"
      " FROM connection_events_outbox ORDER BY log_partition, log_generation, first_offset");
  if (!rows) return std::move(rows).error();
  std::vector<OutboxPlace> oldest;
  for (int row = 0; row < rows->size(); ++row) {
    oldest.push_back({static_cast<std::int32_t>(rows->GetInt64(row, 0)),
                      static_cast<std::int32_t>(rows->GetInt64(row, 1)), rows->GetInt64(row, 2)});
  }
  return oldest;
}

base::Status RemoveFromOutbox(Transaction& transaction, const std::vector<OutboxPlace>& up_to) {
  Int32Array partitions;
  Int32Array generations;
  Int64Array first;
  for (const OutboxPlace& place : up_to) {
    partitions.Add(place.partition);
    generations.Add(place.generation);
    first.Add(place.first_offset);
  }
  auto removed = transaction.Execute(
      "DELETE FROM connection_events_outbox o"
      " USING unnest($1::int[], $2::int[], $3::bigint[]) AS p(partition, generation, first_offset)"
      " WHERE o.log_partition = p.partition"
      " AND (o.log_generation, o.first_offset) <= (p.generation, p.first_offset)",
      {partitions, generations, first});
  if (!removed) return std::move(removed).error();
  return {};
}

}  // namespace heliograph::postgres
