#include "postgres/connection_queries.h"

#include <utility>
#include <vector>

namespace heliograph::postgres {
namespace {

constexpr std::string_view kColumns =
    "c.client_id, c.tenant, c.state, c.since, c.reason, c.last_seen, c.session_id, c.client_name, "
    "c.client_version,"
    " c.log_partition, c.log_offset, d.canonical_facts, d.dispatchers, d.tags";

constexpr int kFound = 14;  // the column after those, in a page

device::ConnectionState StateOf(std::string_view name) {
  for (const auto state : {device::ConnectionState::kOnline, device::ConnectionState::kOffline}) {
    if (device::ConnectionStateName(state) == name) return state;
  }
  return device::ConnectionState::kUnknown;
}

device::Connection ConnectionAt(const Rows& rows, int row) {
  device::Connection connection;
  connection.client_id = device::ClientId(rows.Get(row, 0));
  if (!rows.IsNull(row, 1)) connection.tenant = device::TenantId(rows.Get(row, 1));
  connection.state = StateOf(rows.Get(row, 2));
  connection.since = rows.GetTimestamp(row, 3);
  connection.reason = rows.Get(row, 4);
  connection.last_seen = rows.GetTimestamp(row, 5);
  if (!rows.IsNull(row, 6)) connection.session_id = device::SessionId(rows.Get(row, 6));
  connection.description.client_name = rows.Get(row, 7);
  connection.description.client_version = rows.Get(row, 8);
  connection.position.partition = static_cast<std::int32_t>(rows.GetInt64(row, 9));
  connection.position.offset = rows.GetInt64(row, 10);
  connection.description.canonical_facts = rows.GetJson(row, 11);
  connection.description.dispatchers = rows.GetJson(row, 12);
  connection.description.tags = rows.GetJson(row, 13);
  return connection;
}

StoredInterval IntervalAt(const Rows& rows, int row) {
  StoredInterval stored;
  stored.place.online_from = rows.GetTimestamp(row, 0);
  stored.place.generation = rows.GetInt64(row, 1);
  stored.place.opened_at.partition = static_cast<std::int32_t>(rows.GetInt64(row, 2));
  stored.place.opened_at.offset = rows.GetInt64(row, 3);
  stored.interval.opened_at = stored.place.opened_at;
  stored.interval.online_from = stored.place.online_from;
  stored.interval.online_until = rows.GetOptionalTimestamp(row, 4);
  stored.interval.end_reason = rows.Get(row, 5);
  if (!rows.IsNull(row, 6)) stored.interval.session_id = device::SessionId(rows.Get(row, 6));
  return stored;
}

// A statement that grows by the filters that are given: few texts, so that they stay prepared.
//
// A page is read in the order of client_id from where it begins: by a label's range where one is
// asked for, else by an index of connections. OFFSET 0 keeps each further table a look-up of one
// row. Left alone, PostgreSQL takes rows for cheap that lie in order, and reads all of them beside
// the range: 10,000 for a page of 100 that one in a hundred has.
class Builder {
 public:
  // The parameter must outlive the statement.
  std::string Add(Parameter parameter) {
    parameters_.push_back(std::move(parameter));
    return "$" + std::to_string(parameters_.size());
  }
  // A condition on a column of connections.
  void Where(const std::string& condition) { where_ += " AND " + condition; }
  // Holds for the client id, and bounds what is read.
  void Range(const std::string& comparison) { ranges_.push_back(comparison); }
  void Label(const std::string& label) { labels_.push_back(label); }
  std::string Source() const {
    const std::string description =
        " LEFT JOIN LATERAL (SELECT * FROM connection_descriptions d"
        " WHERE d.client_id = c.client_id OFFSET 0) d ON true";
    if (labels_.empty()) {
      return " FROM connections c" + description + " WHERE true" + where_ + RangesOf("c");
    }
    std::string from = " FROM connection_labels l0";
    std::string where = " WHERE l0.label = " + labels_[0] + RangesOf("l0");
    for (std::size_t i = 1; i < labels_.size(); ++i) {
      const std::string name = "l" + std::to_string(i);
      from += " JOIN connection_labels " + name + " ON " + name + ".client_id = l0.client_id";
      where += " AND " + name + ".label = " + labels_[i] + RangesOf(name);
    }
    return from +
           " CROSS JOIN LATERAL (SELECT * FROM connections c WHERE c.client_id = l0.client_id" +
           where_ + " OFFSET 0) c" + description + where;
  }
  // What the page is in the order of.
  std::string Order() const { return labels_.empty() ? "c.client_id" : "l0.client_id"; }
  const std::vector<Parameter>& parameters() const { return parameters_; }

 private:
  std::string RangesOf(const std::string& table) const {
    std::string text;
    for (const std::string& range : ranges_) text += " AND " + table + ".client_id " + range;
    return text;
  }

  std::vector<Parameter> parameters_;
  std::string where_;
  std::vector<std::string> ranges_;
  std::vector<std::string> labels_;
};

// At most `limit` rows of the source and, however large they are, about `most_bytes`; in the last
// column how many rows there were for it, up to limit + 1. The sum of what is stored comes first,
// since it is known without reading and unpacking: what is far beyond is not even looked at.
std::string PageOf(const Builder& builder, const std::string& limit,
                   const std::string& most_bytes) {
  const auto sum = [](const char* size, std::initializer_list<const char*> columns) {
    std::string text;
    for (const char* column : columns) {
      text += text.empty() ? "" : " + ";
      text += "coalesce(" + std::string(size) + "(" + column + "), 0)";
    }
    return text;
  };
  const std::string texts =
      sum("octet_length", {"c.reason", "c.session_id", "c.client_name", "c.client_version"});
  const std::string stored =
      sum("pg_column_size", {"d.canonical_facts", "d.dispatchers", "d.tags"});
  const std::string whole =
      sum("octet_length", {"canonical_facts::text", "dispatchers::text", "tags::text"});
  return "SELECT client_id, tenant, state, since, reason, last_seen, session_id, client_name, "
         "client_version, log_partition, log_offset, canonical_facts, dispatchers, tags, found "
         "FROM (SELECT *, sum(bytes) OVER (ORDER BY client_id) - bytes AS bytes_before"
         " FROM (SELECT *, texts + " +
         whole +
         " AS bytes"
         " FROM (SELECT *, sum(stored) OVER (ORDER BY client_id) - stored AS stored_before,"
         " count(*) OVER () AS found"
         " FROM (SELECT " +
         std::string(kColumns) + ", " + texts + " AS texts, " + texts + " + " + stored +
         " AS stored" + builder.Source() + " ORDER BY " + builder.Order() + " LIMIT " + limit +
         "::bigint + 1) AS page) AS stored"
         " WHERE stored_before < " +
         most_bytes +
         "::bigint) AS whole) AS measured"
         " WHERE bytes_before < " +
         most_bytes +
         "::bigint"
         " ORDER BY client_id LIMIT " +
         limit + "::bigint";
}

// The least text after all that begin with `prefix`: its alphabet ends below 0x7f.
std::string EndOfPrefix(std::string prefix) {
  ++prefix.back();
  return prefix;
}

}  // namespace

base::Result<ConnectionPage> ConnectionQueries::List(const ConnectionQuery& query) {
  Builder builder;
  const std::string prefix_end =
      query.client_id_prefix.empty() ? std::string() : EndOfPrefix(query.client_id_prefix);
  if (query.sight) builder.Where("c.tenant = " + builder.Add(*query.sight));
  if (query.tenant) builder.Where("c.tenant = " + builder.Add(*query.tenant));
  if (query.state)
    builder.Where("c.state = " + builder.Add(device::ConnectionStateName(*query.state)));
  if (!query.client_id_prefix.empty()) {
    builder.Range(">= " + builder.Add(query.client_id_prefix));
    builder.Range("< " + builder.Add(prefix_end));
  }
  if (query.seen_before) builder.Where("c.last_seen < " + builder.Add(*query.seen_before));
  if (!query.after.empty()) builder.Range("> " + builder.Add(query.after));
  for (const auto& [name, value] : query.tags) {
    const std::string first = builder.Add(name);
    builder.Label("tag_label(" + first + ", " + builder.Add(value) + ")");
  }
  if (query.dispatcher) builder.Label("dispatcher_label(" + builder.Add(*query.dispatcher) + ")");
  const std::string limit = builder.Add(query.limit);
  const std::string most_bytes = builder.Add(query.most_bytes);
  const std::string text = PageOf(builder, limit, most_bytes);

  auto session = pool_.Acquire(std::chrono::steady_clock::now() + wait_);
  if (!session) return std::move(session).error();
  const auto rows = (*session)->Execute(text, builder.parameters());
  if (!rows) return rows.error();
  ConnectionPage page;
  page.connections.reserve(static_cast<std::size_t>(rows->size()));
  for (int row = 0; row < rows->size(); ++row) page.connections.push_back(ConnectionAt(*rows, row));
  page.more = !rows->empty() && rows->GetInt64(0, kFound) > rows->size();
  return page;
}

base::Result<std::optional<device::Connection>> ConnectionQueries::Get(
    const device::ClientId& client_id, const Sight& sight) {
  static const std::string kText =
      "SELECT " + std::string(kColumns) +
      " FROM connections c LEFT JOIN connection_descriptions d ON d.client_id = c.client_id "
      "WHERE c.client_id = $1 AND ($2::text IS NULL OR c.tenant = $2)";
  auto session = pool_.Acquire(std::chrono::steady_clock::now() + wait_);
  if (!session) return std::move(session).error();
  const auto rows = (*session)->Execute(kText, {client_id, sight});
  if (!rows) return rows.error();
  if (rows->empty()) return std::optional<device::Connection>();
  return std::optional(ConnectionAt(*rows, 0));
}

base::Result<std::optional<std::vector<StoredInterval>>> ConnectionQueries::ListIntervals(
    const IntervalQuery& query) {
  auto session = pool_.Acquire(std::chrono::steady_clock::now() + wait_);
  if (!session) return std::move(session).error();
  const auto seen = (*session)->Execute(
      "SELECT 1 FROM connections WHERE client_id = $1 AND ($2::text IS NULL OR tenant = $2)",
      {query.client_id, query.sight});
  if (!seen) return seen.error();
  if (seen->empty()) return std::optional<std::vector<StoredInterval>>();
  const std::string columns =
      "SELECT online_from, opened_generation, opened_partition, opened_offset, online_until, "
      "reason, session_id "
      "FROM intervals WHERE client_id = $1";
  const std::string order =
      " ORDER BY online_from DESC, opened_generation DESC, opened_partition DESC, opened_offset "
      "DESC LIMIT ";
  const auto rows =
      query.before
          ? (*session)->Execute(
                columns +
                    " AND (online_from, opened_generation, opened_partition, opened_offset)"
                    " < ($2::timestamptz, $3::integer, $4::integer, $5::bigint)" +
                    order + "$6::bigint",
                {query.client_id, query.before->online_from, query.before->generation,
                 query.before->opened_at.partition, query.before->opened_at.offset, query.limit})
          : (*session)->Execute(columns + order + "$2::bigint", {query.client_id, query.limit});
  if (!rows) return rows.error();
  std::vector<StoredInterval> intervals;
  intervals.reserve(static_cast<std::size_t>(rows->size()));
  for (int row = 0; row < rows->size(); ++row) intervals.push_back(IntervalAt(*rows, row));
  return std::optional(std::move(intervals));
}

}  // namespace heliograph::postgres
