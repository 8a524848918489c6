#include "recorder/rebuild_swap.h"

#include <algorithm>
#include <array>

namespace heliograph::recorder {
namespace {

constexpr std::array<std::string_view, 4> kTables{"connections", "connection_descriptions",
                                                  "connection_labels", "intervals"};

std::string Replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
  return text;
}

// The statements name the live tables as `live.x`; without it a name is a rebuilt table. `logs` are
// the parameters.
constexpr std::string_view kLogs =
    "unnest($1::int[], $2::int[], $3::bigint[]) AS logs(partition, generation, begin_offset)";

// Rows of a generation that is gone, of a partition that is gone, or before the log's beginning.
constexpr std::string_view kKeepIntervals =
    "INSERT INTO intervals (client_id, online_from, opened_generation, opened_partition, "
    "opened_offset, online_until,"
    " reason, session_id, message_id, older_than_log)"
    " SELECT i.client_id, i.online_from, i.opened_generation, i.opened_partition, i.opened_offset, "
    "i.online_until,"
    " i.reason, i.session_id, i.message_id, true FROM live.intervals i LEFT JOIN @LOGS"
    " ON logs.partition = i.opened_partition"
    " WHERE logs.partition IS NULL OR (i.opened_generation, i.opened_offset) < (logs.generation, "
    "logs.begin_offset)"
    " ON CONFLICT DO NOTHING";

constexpr std::string_view kKeepConnections =
    "INSERT INTO connections SELECT o.client_id, o.tenant, o.state, o.since, o.reason, "
    "o.last_seen, o.session_id,"
    " o.client_name, o.client_version, o.log_generation, o.log_partition, o.log_offset, true"
    " FROM live.connections o LEFT JOIN @LOGS ON logs.partition = o.log_partition"
    " WHERE logs.partition IS NULL OR (o.log_generation, o.log_offset) < (logs.generation, "
    "logs.begin_offset)"
    " ON CONFLICT DO NOTHING";

// Where only proofs of life are left in the log, the state that was known before counts. Any
// partition's log may be the one that lost it: a connection may have come from another.
constexpr std::string_view kKeepStates =
    "UPDATE connections n SET state = o.state, since = o.since, reason = o.reason, session_id = "
    "o.session_id,"
    " older_than_log = true FROM live.connections o"
    " WHERE n.client_id = o.client_id"
    " AND EXISTS (SELECT FROM @LOGS WHERE (logs.generation, logs.begin_offset) > (1, 0))"
    " AND n.state = 'unknown' AND o.state <> 'unknown'";

// What the device told of itself, where the log does not reach back to its telling.
constexpr std::string_view kKeepDescriptions =
    "WITH kept AS (INSERT INTO connection_descriptions SELECT d.client_id, d.canonical_facts, "
    "d.dispatchers, d.tags"
    "   FROM live.connection_descriptions d JOIN connections n USING (client_id)"
    "   WHERE n.older_than_log OR EXISTS (SELECT FROM @LOGS"
    "     WHERE (logs.generation, logs.begin_offset) > (1, 0))"
    "   ON CONFLICT DO NOTHING RETURNING client_id, tags, dispatchers),"
    " labelled AS (INSERT INTO connection_labels SELECT old.label, kept.client_id"
    "   FROM kept, labels_of(kept.tags, kept.dispatchers) AS old(label))"
    " UPDATE connections n SET client_name = coalesce(n.client_name, o.client_name),"
    " client_version = coalesce(n.client_version, o.client_version)"
    " FROM kept, live.connections o WHERE n.client_id = kept.client_id AND o.client_id = "
    "kept.client_id";

// A stay that was kept open although the log knows better.
constexpr std::string_view kCloseKept =
    "UPDATE intervals i SET online_until = greatest(c.since, i.online_from), reason = 'superseded'"
    " FROM connections c WHERE i.older_than_log AND i.online_until IS NULL AND c.client_id = "
    "i.client_id"
    " AND NOT (c.state = 'online' AND c.since = i.online_from)";

constexpr std::string_view kKeepTenants =
    "UPDATE connections n SET tenant = o.tenant FROM live.connections o"
    " WHERE n.client_id = o.client_id AND n.tenant IS DISTINCT FROM o.tenant";

// Only what differs is written, so that a rebuild of a state that is right costs the tables
// nothing.
struct Difference {
  std::string_view remove;
  std::string_view add;
};
constexpr std::array<Difference, 4> kDifferences{{
    {"DELETE FROM live.connections o WHERE NOT EXISTS (SELECT 1 FROM connections n WHERE "
     "n.client_id = o.client_id"
     " AND n::text = o::text)",
     "INSERT INTO live.connections SELECT n.* FROM connections n LEFT JOIN live.connections o "
     "USING (client_id)"
     " WHERE o.client_id IS NULL"},
    {"DELETE FROM live.connection_descriptions o WHERE NOT EXISTS (SELECT 1 FROM "
     "connection_descriptions n"
     " WHERE n.client_id = o.client_id AND n::text = o::text)",
     "INSERT INTO live.connection_descriptions SELECT n.* FROM connection_descriptions n"
     " LEFT JOIN live.connection_descriptions o USING (client_id) WHERE o.client_id IS NULL"},
    {"DELETE FROM live.connection_labels o WHERE NOT EXISTS (SELECT 1 FROM connection_labels n"
     " WHERE n.label = o.label AND n.client_id = o.client_id)",
     "INSERT INTO live.connection_labels SELECT n.* FROM connection_labels n"
     " LEFT JOIN live.connection_labels o USING (label, client_id) WHERE o.client_id IS NULL"},
    {"DELETE FROM live.intervals o WHERE NOT EXISTS (SELECT 1 FROM intervals n WHERE n.client_id = "
     "o.client_id"
     " AND n.online_from = o.online_from AND n.opened_generation = o.opened_generation"
     " AND n.opened_partition = o.opened_partition AND n.opened_offset = o.opened_offset AND "
     "n::text = o::text)",
     "INSERT INTO live.intervals SELECT n.* FROM intervals n LEFT JOIN live.intervals o"
     " USING (client_id, online_from, opened_generation, opened_partition, opened_offset)"
     " WHERE o.client_id IS NULL"},
}};

// Runs statements of this file in one schema's transaction.
class Swap {
 public:
  Swap(postgres::Transaction& transaction, std::string schema,
       const std::map<std::int32_t, LogBegin>& logs)
      : transaction_(transaction), schema_(std::move(schema)) {
    for (const auto& [partition, log] : logs) {
      partitions_.Add(partition);
      generations_.Add(log.generation);
      begins_.Add(log.begin);
    }
  }

  base::Result<std::int64_t> Run(std::string_view statement) {
    std::string sql = Replaced(std::string(statement), "live.", schema_ + ".");
    const bool with_logs = sql.find("@LOGS") != std::string::npos;
    sql = Replaced(std::move(sql), "@LOGS", kLogs);
    auto rows = with_logs ? transaction_.Execute(sql, {partitions_, generations_, begins_})
                          : transaction_.Execute(sql);
    if (!rows) return std::move(rows).error();
    return rows->affected();
  }

 private:
  postgres::Transaction& transaction_;
  const std::string schema_;
  postgres::Int32Array partitions_;
  postgres::Int32Array generations_;
  postgres::Int64Array begins_;
};

base::Status Keep(Swap& swap, bool keep_tenants) {
  for (const std::string_view statement :
       {kKeepIntervals, kKeepConnections, kKeepStates, kKeepDescriptions, kCloseKept}) {
    if (auto kept = swap.Run(statement); !kept) return std::move(kept).error();
  }
  if (!keep_tenants) return {};
  if (auto kept = swap.Run(kKeepTenants); !kept) return std::move(kept).error();
  return {};
}

base::Result<SwapReport> Count(postgres::Transaction& transaction) {
  auto rows = transaction.Execute(
      "SELECT (SELECT count(*) FROM connections), (SELECT count(*) FROM intervals),"
      " (SELECT count(*) FROM connections WHERE older_than_log)");
  if (!rows) return std::move(rows).error();
  SwapReport report;
  report.connections = rows->GetInt64(0, 0);
  report.intervals = rows->GetInt64(0, 1);
  report.older_than_log = rows->GetInt64(0, 2);
  return report;
}

}  // namespace

base::Status MakeRebuildTables(postgres::Connection& connection, const std::string& schema) {
  if (auto dropped = DropRebuildTables(connection); !dropped) return dropped;
  std::string script = "CREATE SCHEMA " + std::string(kRebuildSchema) + ";";
  for (const std::string_view table : kTables) {
    script.append("CREATE TABLE ").append(kRebuildSchema).append(".").append(table);
    script.append(" (LIKE ").append(schema).append(".").append(table).append(" INCLUDING ALL);");
  }
  if (auto made = connection.ExecuteScript(script); !made) return std::move(made).error();
  return {};
}

base::Status DropRebuildTables(postgres::Connection& connection) {
  auto dropped =
      connection.ExecuteScript("DROP SCHEMA IF EXISTS " + std::string(kRebuildSchema) + " CASCADE");
  if (!dropped) return std::move(dropped).error();
  return {};
}

base::Result<SwapReport> SwapIn(postgres::Transaction& transaction, const std::string& schema,
                                const std::map<std::int32_t, LogBegin>& logs, bool keep_tenants) {
  Swap swap(transaction, schema, logs);
  if (auto kept = Keep(swap, keep_tenants); !kept) return std::move(kept).error();
  auto report = Count(transaction);
  if (!report) return report;
  for (const Difference& difference : kDifferences) {
    auto removed = swap.Run(difference.remove);
    if (!removed) return std::move(removed).error();
    auto added = swap.Run(difference.add);
    if (!added) return std::move(added).error();
    report->changed_rows += std::max(*removed, *added);
  }
  return report;
}

}  // namespace heliograph::recorder
