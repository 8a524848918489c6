// `heliograph state rebuild`: connection state and intervals, once more from the log.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "kafka/config.h"
#include "owner/resolver.h"
#include "postgres/config.h"

namespace heliograph::recorder {

struct RebuildOptions {
  postgres::Config postgres;
  kafka::ClusterConfig kafka;
  std::string control_topic = "device.control";
  std::size_t max_message_bytes = 1048576 + 65536;
  std::size_t batch_records = 5000;
  // Null: a connection keeps the tenant that it has; one that only the log knows belongs to nobody
  // known.
  owner::Resolver* resolver = nullptr;
  // Told now and then: records read so far, of so many.
  std::function<void(std::int64_t done, std::int64_t all)> on_progress;
};

struct RebuildReport {
  std::int64_t records = 0;      // read
  std::int64_t refused = 0;      // in the dead letters since long
  std::int64_t connections = 0;  // rows afterwards
  std::int64_t intervals = 0;
  std::int64_t changed_rows = 0;  // that were not as the log says
  std::int64_t older_than_log =
      0;  // connections that the log does not reach back to, kept and marked
};

// Replays every partition that was ever followed, from the beginning of the log up to its stored
// offset, into the schema `heliograph_rebuild`, by the recorder's own rules and without events.
// Then, in one transaction, holds the recorder up, replays the rest, and brings the rows that
// differ into place: readers see the old state or the new one, nothing between. A stored offset
// that the log no longer reaches back to is set to the log's beginning. One at a time: kConflict
// otherwise. Blocks. Threads: one thread.
base::Result<RebuildReport> Rebuild(const RebuildOptions& options);

}  // namespace heliograph::recorder
