// After a change of the owner rules: gives the connections that are stored already their tenants,
// page by page.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "device/ids.h"
#include "log/log.h"
#include "owner/resolver.h"
#include "postgres/pool.h"
#include "recorder/applier.h"

namespace heliograph::recorder {

// Threads: one thread.
class OwnerSweep {
 public:
  // Sweeps the connections whose newest record is in `topic`.
  OwnerSweep(owner::Resolver& resolver, postgres::Pool& pool, std::string topic);

  // One page of the first partition whose rows were last resolved by other rules than today's, if
  // there is one. A row is touched only while the partition's offset row is locked and as `offsets`
  // has it. True = there may be more.
  base::Result<bool> Step(const Offsets& offsets);
  void GiveUp(std::int32_t partition);  // its offset row is no longer known

 private:
  struct Place {
    std::int32_t partition = 0;
    std::string revision;
    device::ClientId after;
  };

  bool FindWork(const Offsets& offsets);
  // The last client id of the page; nullopt = there is no further page.
  base::Result<std::optional<device::ClientId>> Page(postgres::Transaction& transaction);
  void End();

  owner::Resolver& resolver_;
  postgres::Pool& pool_;
  const std::string topic_;
  const log::Logger log_{"recorder"};
  std::map<std::int32_t, std::string>
      swept_;  // partition -> revision, as far as this process knows
  std::optional<Place> place_;
  std::int64_t changed_ = 0;  // rows of the sweep at hand
};

}  // namespace heliograph::recorder
