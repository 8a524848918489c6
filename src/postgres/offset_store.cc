#include "postgres/offset_store.h"

namespace heliograph::postgres {
namespace {

constexpr std::string_view kSelect =
    "SELECT partition, generation, next_offset, last_record_time, owner_rules, mapping FROM "
    "kafka_offsets";

LogOffset ReadOffset(const Rows& rows, int row) {
  LogOffset offset;
  offset.partition = static_cast<std::int32_t>(rows.GetInt64(row, 0));
  offset.generation = static_cast<std::int32_t>(rows.GetInt64(row, 1));
  offset.next_offset = rows.GetInt64(row, 2);
  offset.last_record_time = rows.GetOptionalTimestamp(row, 3);
  offset.owner_rules = rows.Get(row, 4);
  offset.mapping = static_cast<std::int32_t>(rows.GetInt64(row, 5));
  return offset;
}

base::Result<std::vector<LogOffset>> ReadOffsets(base::Result<Rows> rows) {
  if (!rows) return std::move(rows).error();
  std::vector<LogOffset> offsets;
  for (int row = 0; row < rows->size(); ++row) offsets.push_back(ReadOffset(*rows, row));
  return offsets;
}

base::Error Fenced(const std::string& topic) {
  return base::MakeError(base::ErrorCode::kConflict,
                         "another consumer has moved the offsets of " + topic);
}

struct Jumped {
  std::int32_t generations;
  std::int64_t next_offset;
};

base::Status Jump(Connection& connection, const std::string& topic, const LogOffset& known,
                  Jumped to) {
  auto jumped = connection.Execute(
      "UPDATE kafka_offsets SET generation = generation + $5::int, next_offset = $6::bigint,"
      " last_record_time = NULL, updated_at = now(),"
      " mapping = CASE WHEN $5::int = 0 THEN mapping ELSE 0 END"
      " WHERE topic = $1 AND partition = $2::int AND generation = $3::int AND next_offset = "
      "$4::bigint",
      {topic, known.partition, known.generation, known.next_offset, to.generations,
       to.next_offset});
  if (!jumped) return std::move(jumped).error();
  if (jumped->affected() != 1) return Fenced(topic);
  return {};
}

}  // namespace

base::Result<std::optional<LogOffset>> FindOffset(Connection& connection, const std::string& topic,
                                                  std::int32_t partition) {
  static const std::string sql = std::string(kSelect) + " WHERE topic = $1 AND partition = $2::int";
  auto offsets = ReadOffsets(connection.Execute(sql, {topic, partition}));
  if (!offsets) return std::move(offsets).error();
  if (offsets->empty()) return std::optional<LogOffset>();
  return std::optional<LogOffset>(std::move(offsets->front()));
}

base::Result<std::vector<LogOffset>> ListOffsets(Connection& connection, const std::string& topic) {
  static const std::string sql = std::string(kSelect) + " WHERE topic = $1 ORDER BY partition";
  return ReadOffsets(connection.Execute(sql, {topic}));
}

base::Status CreateOffset(Connection& connection, const std::string& topic,
                          const LogOffset& offset) {
  auto created = connection.Execute(
      "INSERT INTO kafka_offsets (topic, partition, generation, next_offset, last_record_time)"
      " VALUES ($1, $2::int, $3::int, $4::bigint, $5::timestamptz) ON CONFLICT DO NOTHING",
      {topic, offset.partition, offset.generation, offset.next_offset, offset.last_record_time});
  if (!created) return std::move(created).error();
  if (created->affected() != 1) return Fenced(topic);
  return {};
}

base::Status BeginGeneration(Connection& connection, const std::string& topic,
                             const LogOffset& known, std::int64_t next_offset) {
  return Jump(connection, topic, known, {1, next_offset});
}

base::Status SkipTo(Connection& connection, const std::string& topic, const LogOffset& known,
                    std::int64_t next_offset) {
  return Jump(connection, topic, known, {0, next_offset});
}

base::Result<std::vector<LogOffset>> LockOffsets(Transaction& transaction, const std::string& topic,
                                                 std::span<const std::int32_t> partitions) {
  Int32Array wanted;
  for (const std::int32_t partition : partitions) wanted.Add(partition);
  static const std::string sql =
      std::string(kSelect) +
      " WHERE topic = $1 AND partition = ANY($2::int[]) ORDER BY partition FOR UPDATE";
  return ReadOffsets(transaction.Execute(sql, {topic, wanted}));
}

base::Status ReachMapping(Connection& connection, const std::string& topic, const LogOffset& known,
                          std::int32_t mapping) {
  auto reached = connection.Execute(
      "UPDATE kafka_offsets SET mapping = greatest(mapping, $5::int), updated_at = now()"
      " WHERE topic = $1 AND partition = $2::int AND generation = $3::int AND next_offset = "
      "$4::bigint",
      {topic, known.partition, known.generation, known.next_offset, mapping});
  if (!reached) return std::move(reached).error();
  if (reached->affected() != 1) return Fenced(topic);
  return {};
}

base::Status AdvanceOffsets(Transaction& transaction, const std::string& topic,
                            std::span<const OffsetAdvance> advances) {
  Int32Array partitions;
  Int32Array generations;
  Int64Array expected;
  Int64Array next;
  TimestampArray times;
  for (const OffsetAdvance& one : advances) {
    partitions.Add(one.partition);
    generations.Add(one.generation);
    expected.Add(one.expected);
    next.Add(one.next_offset);
    times.Add(one.last_record_time);
  }
  auto advanced = transaction.Execute(
      "UPDATE kafka_offsets o SET next_offset = n.next_offset, last_record_time = n.time, "
      "updated_at = now()"
      " FROM unnest($2::int[], $3::int[], $4::bigint[], $5::bigint[], $6::timestamptz[])"
      " AS n(partition, generation, expected, next_offset, time)"
      " WHERE o.topic = $1 AND o.partition = n.partition AND o.generation = n.generation"
      " AND o.next_offset = n.expected",
      {topic, partitions, generations, expected, next, times});
  if (!advanced) return std::move(advanced).error();
  if (advanced->affected() != static_cast<std::int64_t>(advances.size())) return Fenced(topic);
  return {};
}

base::Status NoteOwnerRules(Transaction& transaction, const std::string& topic,
                            std::int32_t partition, const std::string& owner_rules) {
  auto noted = transaction.Execute(
      "UPDATE kafka_offsets SET owner_rules = $3 WHERE topic = $1 AND partition = $2::int",
      {topic, partition, owner_rules});
  if (!noted) return std::move(noted).error();
  return {};
}

}  // namespace heliograph::postgres
