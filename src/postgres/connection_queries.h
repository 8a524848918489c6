// What callers ask about connections. Read only; the recorder writes the tables.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "device/connection.h"
#include "device/ids.h"
#include "postgres/pool.h"

namespace heliograph::postgres {

// Whose connections are seen: a tenant sees its own, an operator (nullopt) all, also those that
// nobody is known to own.
using Sight = std::optional<device::TenantId>;

// Every filter that is given must hold.
struct ConnectionQuery {
  Sight sight = {};
  std::optional<device::ConnectionState> state = {};
  std::optional<device::TenantId> tenant = {};
  std::string client_id_prefix = {};  // of the alphabet of client ids; "" = any
  std::vector<std::pair<std::string, std::string>> tags = {};  // name, value
  std::optional<std::string> dispatcher = {};
  std::optional<base::Timestamp> seen_before = {};
  device::ClientId after = {};  // "" = from the beginning
  std::int64_t limit = 100;
  // The page ends early where names, facts, dispatchers and tags are more; the first row is always
  // on it.
  std::int64_t most_bytes = 512 * 1024;
};

struct ConnectionPage {
  std::vector<device::Connection> connections;  // by client id
  bool more = false;                            // after the last of them
};

// An interval's place in the list, which is the order of time and then of the log.
struct IntervalPlace {
  base::Timestamp online_from{};
  std::int64_t generation = 0;
  device::LogPosition opened_at;
};

struct StoredInterval {
  device::Interval interval;
  IntervalPlace place;
};

struct IntervalQuery {
  Sight sight = {};
  device::ClientId client_id = {};
  std::optional<IntervalPlace> before = {};  // nullopt = from the newest
  std::int64_t limit = 100;
};

// Errors as Connection's. Threads: any thread.
class ConnectionQueries {
 public:
  // `wait` bounds how long a call waits for a session.
  ConnectionQueries(Pool& pool, std::chrono::milliseconds wait) : pool_(pool), wait_(wait) {}

  base::Result<ConnectionPage> List(const ConnectionQuery& query);

  // nullopt: there is none, or it is out of sight.
  base::Result<std::optional<device::Connection>> Get(const device::ClientId& client_id,
                                                      const Sight& sight);

  // The newest first. nullopt as Get.
  base::Result<std::optional<std::vector<StoredInterval>>> ListIntervals(
      const IntervalQuery& query);

 private:
  Pool& pool_;
  const std::chrono::milliseconds wait_;
};

}  // namespace heliograph::postgres
