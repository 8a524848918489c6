// The changes of connections, read so that none is missed: migrations/0011_connection_log.up.sql.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "device/connection.h"
#include "postgres/pool.h"
#include "postgres/target_log.h"

namespace heliograph::postgres {

inline constexpr std::chrono::hours kConnectionLogIsKept{24};

// A line of connection_log.events.
struct ConnectionEvent {
  std::string_view client_id;
  std::string_view tenant;                        // "" = nobody is known to own it
  device::Change change = device::Change::kNone;  // kNone: from before migration 0011
  std::int64_t offset = 0;                        // of the record that caused it
  std::string_view json;                          // the CloudEvent; no tab, no end of line
};
void AppendConnectionEvent(std::string& events, const ConnectionEvent& event);
// `line` without its end; what is answered refers to it. nullopt: it is none.
std::optional<ConnectionEvent> ReadConnectionEvent(std::string_view line);

// A place in the log, which is in the order of the transactions. Read up to a place once, nothing
// is ever written before it.
struct ConnectionLogPlace {
  std::uint64_t xid = 0;
  std::int64_t partition = 0;  // of the record that caused the event
  std::int64_t offset = 0;

  auto operator<=>(const ConnectionLogPlace&) const = default;
};

struct ConnectionChange {
  ConnectionLogPlace place;
  device::ClientId client_id;
  std::optional<device::TenantId> tenant;  // who owned it then; nullopt = nobody was known to
  device::Change change = device::Change::kNone;
  std::string json;  // the CloudEvent, as Kafka is told it
};

struct ConnectionChanges {
  std::vector<ConnectionChange> changes;  // in the log's order
  ConnectionLogPlace up_to;               // everything up to here was read
  bool more = false;                      // there is more to read at once
};

// Which part of the logs, of this one and of TargetLog, can be read.
struct LogBounds {
  std::uint64_t end = 0;                    // every transaction below it has ended
  std::uint64_t connections_forgotten = 0;  // up to and with this xid changes were truncated away
  TargetLogPlace targets_forgotten;
};

// Errors as Connection's. Threads: any thread.
class ConnectionLog {
 public:
  // `wait` bounds how long a call waits for a session.
  ConnectionLog(Pool& pool, std::chrono::milliseconds wait) : pool_(pool), wait_(wait) {}

  base::Result<LogBounds> Bounds();

  // What changed after `after` in transactions below `end` (of Bounds): whole rows of about
  // `most_bytes` in all, the first one however large it is.
  base::Result<ConnectionChanges> Read(const ConnectionLogPlace& after, std::uint64_t end,
                                       std::int64_t most_bytes);

  // Truncates the segment that comes next, where all of it is told and older than
  // kConnectionLogIsKept. Whether it did.
  base::Result<bool> Forget();

 private:
  Pool& pool_;
  const std::chrono::milliseconds wait_;
};

}  // namespace heliograph::postgres
