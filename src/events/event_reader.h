// The logs of what happens to actions and to connections, read as one.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "events/event_filter.h"
#include "metrics/metrics.h"
#include "postgres/connection_log.h"
#include "postgres/target_log.h"

namespace heliograph::events {

struct Change {
  EventPlace place;
  std::variant<postgres::TargetChange, postgres::ConnectionChange> what;

  EventType type() const;
  base::Timestamp at() const;
  const std::optional<device::TenantId>& tenant() const;
  bool IsWantedBy(const EventFilter& filter) const;
};

// The CloudEvent in JSON.
std::string WriteEvent(const Change& change);

// What of both is to be read; the rest is passed over.
struct Wanted {
  bool actions = false;
  bool connections = false;

  static Wanted Of(const EventFilter& filter);
  void Add(const Wanted& other);
  bool Includes(const Wanted& other) const {
    return (actions || !other.actions) && (connections || !other.connections);
  }
};

struct Page {
  EventPlace after;
  std::vector<Change> changes;  // in the order of their places, those that are wanted
  EventPlace up_to;             // nothing is missing up to here
  bool more = false;            // there is more to read at once
};

// Errors as Connection's. Threads: any thread.
class EventReader {
 public:
  struct Most {
    std::int64_t targets = 1000;  // changes of targets
    std::int64_t bytes = 0;       // of the events of connections, about
  };
  struct Bounds {
    EventPlace end;        // where one begins who wants nothing of before
    EventPlace forgotten;  // who stands before it has missed something
  };

  // The logs outlive it.
  EventReader(postgres::TargetLog& targets, postgres::ConnectionLog& connections,
              metrics::Registry& metrics);

  base::Result<Bounds> Look();
  base::Result<Page> Read(const EventPlace& after, const Wanted& wanted, const Most& most);

 private:
  postgres::TargetLog& targets_;
  postgres::ConnectionLog& connections_;
  metrics::Counter target_reads_;
  metrics::Counter connection_reads_;
};

}  // namespace heliograph::events
