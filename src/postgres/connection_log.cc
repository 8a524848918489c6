#include "postgres/connection_log.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "postgres/transaction.h"

namespace heliograph::postgres {
namespace {

using device::Change;

constexpr std::int64_t kMostRows = 500;  // of one Read

std::string_view WordOf(Change change) {
  switch (change) {
    case Change::kOnline:
      return "online";
    case Change::kOffline:
      return "offline";
    case Change::kChanged:
      return "changed";
    case Change::kNone:
      return "";
  }
  return "";
}

std::optional<Change> ChangeOf(std::string_view word) {
  for (const Change change : {Change::kOnline, Change::kOffline, Change::kChanged}) {
    if (WordOf(change) == word) return change;
  }
  return std::nullopt;
}

template <class Number>
bool ReadNumber(std::string_view text, Number& number) {
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  return fault == std::errc() && end == text.data() + text.size();
}

std::uint64_t XidAt(const Rows& rows, int row, int column) {
  std::uint64_t xid = 0;
  ReadNumber(rows.Get(row, column), xid);
  return xid;
}

// Those of the row's events that come after `after`.
void AddChanges(std::string_view events, const ConnectionLogPlace& row,
                const ConnectionLogPlace& after, std::vector<ConnectionChange>& changes) {
  while (!events.empty()) {
    const std::string_view line = events.substr(0, events.find('\n'));
    events.remove_prefix(std::min(events.size(), line.size() + 1));
    const auto event = ReadConnectionEvent(line);
    if (!event || event->change == Change::kNone) continue;
    const ConnectionLogPlace place{row.xid, row.partition, event->offset};
    if (place <= after) continue;
    ConnectionChange change;
    change.place = place;
    change.client_id = device::ClientId(event->client_id);
    if (!event->tenant.empty()) change.tenant = device::TenantId(event->tenant);
    change.change = event->change;
    change.json = event->json;
    changes.push_back(std::move(change));
  }
}

}  // namespace

void AppendConnectionEvent(std::string& events, const ConnectionEvent& event) {
  events.append(event.client_id).append("\t").append(event.tenant).append("\t");
  events.append(WordOf(event.change)).append("\t").append(std::to_string(event.offset));
  events.append("\t").append(event.json).append("\n");
}

std::optional<ConnectionEvent> ReadConnectionEvent(std::string_view line) {
  std::array<std::string_view, 5> fields;
  std::size_t count = 0;
  for (bool more = true; more;) {
    if (count == fields.size()) return std::nullopt;
    const std::size_t tab = line.find('\t');
    fields[count++] = line.substr(0, tab);
    more = tab != std::string_view::npos;
    if (more) line.remove_prefix(tab + 1);
  }
  if (count == 2) return ConnectionEvent{fields[0], "", Change::kNone, 0, fields[1]};
  ConnectionEvent event{fields[0], fields[1], Change::kNone, 0, fields[4]};
  const auto change = ChangeOf(fields[2]);
  if (count != fields.size() || !change || !ReadNumber(fields[3], event.offset)) {
    return std::nullopt;
  }
  event.change = *change;
  return event;
}

base::Result<LogBounds> ConnectionLog::Bounds() {
  auto session = pool_.Acquire(std::chrono::steady_clock::now() + wait_);
  if (!session) return std::move(session).error();
  const auto rows = (*session)->Execute(
      "SELECT pg_snapshot_xmin(pg_current_snapshot()), s.forgotten, coalesce(r.xid, '0'),"
      "  coalesce(r.place, 0)"
      " FROM (SELECT forgotten FROM connection_log_segments ORDER BY forgotten DESC LIMIT 1) AS s"
      " LEFT JOIN target_log_readers r ON r.name = 'forgotten'");
  if (!rows) return rows.error();
  if (rows->empty()) {
    return base::MakeError(base::ErrorCode::kInternal, "connection_log_segments is empty");
  }
  return LogBounds{
      XidAt(*rows, 0, 0), XidAt(*rows, 0, 1), {XidAt(*rows, 0, 2), rows->GetInt64(0, 3)}};
}

base::Result<ConnectionChanges> ConnectionLog::Read(const ConnectionLogPlace& after,
                                                    std::uint64_t end, std::int64_t most_bytes) {
  auto session = pool_.Acquire(std::chrono::steady_clock::now() + wait_);
  if (!session) return std::move(session).error();
  // How long a text is, PostgreSQL knows without unpacking it.
  const auto rows = (*session)->Execute(
      "SELECT xid, log_partition, last_offset, events, found FROM ("
      "  SELECT *, sum(octet_length(events)) OVER w AS so_far, row_number() OVER w AS nth,"
      "    count(*) OVER () AS found FROM ("
      "    SELECT xid, log_partition, last_offset, events FROM connection_log"
      "    WHERE (xid, log_partition, last_offset) > ($1::xid8, $2::integer, $3::bigint)"
      "      AND xid < $4::xid8"
      "    ORDER BY xid, log_partition, last_offset LIMIT $5::bigint) AS part"
      "  WINDOW w AS (ORDER BY xid, log_partition, last_offset)) AS measured "
      "WHERE so_far <= $6::bigint OR nth = 1 ORDER BY xid, log_partition, last_offset",
      {std::to_string(after.xid), after.partition, after.offset, std::to_string(end), kMostRows,
       most_bytes});
  if (!rows) return rows.error();
  ConnectionChanges read;
  read.up_to = after;
  for (int row = 0; row < rows->size(); ++row) {
    read.up_to = {XidAt(*rows, row, 0), rows->GetInt64(row, 1), rows->GetInt64(row, 2)};
    AddChanges(rows->Get(row, 3), read.up_to, after, read.changes);
  }
  if (rows->empty()) return read;
  const std::int64_t found = rows->GetInt64(0, 4);
  read.more = found == kMostRows || found > rows->size();
  return read;
}

base::Result<bool> ConnectionLog::Forget() {
  auto session = pool_.Acquire(std::chrono::steady_clock::now() + wait_);
  if (!session) return std::move(session).error();
  auto transaction = Transaction::Begin(**session);
  if (!transaction) return std::move(transaction).error();
  // Truncating waits for whoever reads, and who comes then waits for it: not for long.
  if (auto set = transaction->Execute("SET LOCAL lock_timeout = '200ms'"); !set) {
    return set.error();
  }
  const auto next = transaction->Execute(
      "SELECT segment FROM connection_log_segments"
      " WHERE segment = connection_log_segment(now() + interval '8 hours')"
      " FOR UPDATE SKIP LOCKED");
  if (!next) return next.error();
  if (next->empty()) return false;  // another process is at it
  const std::int64_t segment = next->GetInt64(0, 0);
  const auto newest = transaction->Execute(
      "SELECT xid FROM ("
      "  SELECT xid, written_at FROM connection_log WHERE segment = $1::smallint"
      "  ORDER BY xid DESC LIMIT 1) AS last "
      "WHERE written_at < now() - $2::bigint * interval '1 hour'"
      "  AND NOT EXISTS (SELECT FROM connection_events_outbox WHERE segment = $1::smallint)",
      {segment, kConnectionLogIsKept.count()});
  if (!newest) return newest.error();
  if (newest->empty()) return false;
  const auto gone = transaction->Execute("TRUNCATE connection_log_" + std::to_string(segment));
  if (!gone) return gone.error();
  const auto noted = transaction->Execute(
      "UPDATE connection_log_segments SET forgotten = $2::xid8 WHERE segment = $1::smallint",
      {segment, newest->Get(0, 0)});
  if (!noted) return noted.error();
  if (auto committed = transaction->Commit(); !committed) return std::move(committed).error();
  return true;
}

}  // namespace heliograph::postgres
