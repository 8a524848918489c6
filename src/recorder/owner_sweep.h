// Gives connections that are stored already their tenants, page by page: all of them after the
// owners' revision has changed, and now and then those that have none.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "device/ids.h"
#include "log/log.h"
#include "owner/resolver.h"
#include "postgres/pool.h"
#include "recorder/applier.h"
#include "recorder/unsettled_owners.h"

namespace heliograph::recorder {

// Threads: one thread.
class OwnerSweep {
 public:
  // Sweeps the connections whose newest record is in `topic`. Those whose owner cannot be told at
  // once go to `unsettled`.
  OwnerSweep(owner::Resolver& resolver, postgres::Pool& pool, std::string topic,
             UnsettledOwners& unsettled);

  // One page of the first partition whose rows were last resolved at another revision than today's,
  // if there is one; else of one without owners, if it is time. A row is touched only while the
  // partition's offset row is locked and as `offsets` has it. True = there may be more at once.
  base::Result<bool> Step(const Offsets& offsets);
  void GiveUp(std::int32_t partition);  // its offset row is no longer known

 private:
  struct Place {
    std::int32_t partition = 0;
    std::string revision;
    bool only_unowned = false;
    device::ClientId after = {};
    bool mixed = false;  // the revision has changed under way, so there must be another round
  };
  struct Page {
    std::vector<device::ClientId> untold;
    std::optional<device::ClientId> last;  // nullopt: there is no further page
  };

  bool FindWork(const Offsets& offsets);
  bool FindUnowned(const Offsets& offsets, const std::string& revision);
  base::Result<Page> Sweep(postgres::Transaction& transaction);
  void End();
  base::Status NoteSettled(const Offsets& offsets);

  owner::Resolver& resolver_;
  postgres::Pool& pool_;
  const std::string topic_;
  UnsettledOwners& unsettled_;
  const log::Logger log_{"recorder"};
  std::map<std::int32_t, std::string>
      swept_;  // partition -> revision, as far as this process knows
  // As above; to be noted in the database when none of the partition is unsettled.
  std::map<std::int32_t, std::string> to_note_;
  std::optional<Place> place_;
  std::int64_t changed_ = 0;  // rows of the sweep at hand
  base::SteadyTime unowned_at_{};
  std::int32_t unowned_before_ = -1;  // of this round those up to here are done
};

}  // namespace heliograph::recorder
