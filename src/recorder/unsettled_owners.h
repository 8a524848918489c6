// Stored connections whose owner could not be told: asked for again until it can.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "device/ids.h"
#include "metrics/metrics.h"
#include "owner/resolver.h"
#include "postgres/pool.h"
#include "recorder/applier.h"

namespace heliograph::recorder {

// In memory, and bounded: what is lost with the process or for want of room is found by OwnerSweep.
// Threads: one thread.
class UnsettledOwners {
 public:
  UnsettledOwners(owner::Resolver& resolver, postgres::Pool& pool, std::string topic,
                  metrics::Registry& metrics);
  ~UnsettledOwners();
  UnsettledOwners(const UnsettledOwners&) = delete;
  UnsettledOwners& operator=(const UnsettledOwners&) = delete;

  void Add(std::int32_t partition, const device::ClientId& client_id);
  // Whether whoever looks for more should go on.
  bool HasRoom() const;
  bool Has(std::int32_t partition) const { return partitions_.contains(partition); }
  void GiveUp(std::int32_t partition);  // its offset row is no longer known

  // Asks, and saves what is told by now; ten times a second at most. A row is touched only while
  // the partition's offset row is locked and as `offsets` has it.
  base::Status Step(const Offsets& offsets);

 private:
  struct Waiting {
    std::deque<device::ClientId> order;
    std::unordered_set<device::ClientId> ids;
  };

  // Answers what is told of the oldest, which stay where they are until Save.
  std::vector<postgres::OwnedConnection> Look(Waiting& waiting);
  base::Status Save(const postgres::LogOffset& offset,
                    const std::vector<postgres::OwnedConnection>& told);
  void Count(std::ptrdiff_t change);

  owner::Resolver& resolver_;
  postgres::Pool& pool_;
  const std::string topic_;
  metrics::Gauge unsettled_;
  metrics::Counter changed_;
  std::map<std::int32_t, Waiting> partitions_;  // none without any
  std::size_t size_ = 0;
  base::SteadyTime look_at_{};
};

}  // namespace heliograph::recorder
