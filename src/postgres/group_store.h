// Groups of devices. Tables: migrations/0009_target_sets.up.sql.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "action/group.h"
#include "base/result.h"
#include "postgres/pool.h"

namespace heliograph::postgres {

// A group belongs to its tenant; operators have groups of their own (`tenant` nullopt). Every call
// is one transaction on a session of its own. Errors as Connection's. Threads: any thread.
class GroupStore {
 public:
  using Tenant = std::optional<device::TenantId>;
  struct PutGroup {
    action::Group group;
    bool created = false;  // else it took another's place
  };

  // `wait` bounds how long a call waits for a session.
  GroupStore(Pool& pool, std::chrono::milliseconds wait) : pool_(pool), wait_(wait) {}

  base::Result<PutGroup> Put(const Tenant& tenant, const action::GroupName& name,
                             const action::GroupDefinition& definition);
  // nullopt: there is none.
  base::Result<std::optional<action::Group>> Get(const Tenant& tenant,
                                                 const action::GroupName& name);
  // By name, without client ids. `after` "" = from the beginning.
  base::Result<std::vector<action::Group>> List(const Tenant& tenant,
                                                const action::GroupName& after, std::int64_t limit);
  // Those that are named; none where there is a selector. nullopt as Get.
  base::Result<std::optional<std::vector<device::ClientId>>> ListMembers(
      const Tenant& tenant, const action::GroupName& name, const device::ClientId& after,
      std::int64_t limit);
  // The devices that are in it now, at most `most` of them, sorted: those that are named, whether
  // they exist or not, or those that the selector finds among the tenant's. nullopt as Get.
  base::Result<std::optional<std::vector<device::ClientId>>> Resolve(const Tenant& tenant,
                                                                     const action::GroupName& name,
                                                                     std::int64_t most);
  // False: there was none.
  base::Result<bool> Delete(const Tenant& tenant, const action::GroupName& name);

 private:
  base::Result<Pool::Lease> Session() const;

  Pool& pool_;
  const std::chrono::milliseconds wait_;
};

}  // namespace heliograph::postgres
