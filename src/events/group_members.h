// Who is in the groups that streams listen to.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "action/group.h"
#include "base/clock.h"
#include "base/result.h"
#include "device/ids.h"
#include "postgres/group_store.h"

namespace heliograph::events {

// So old the answer to who is in a group may be.
inline constexpr std::chrono::seconds kGroupsAreLookedUpEvery{30};

// The members of one group as they were found last. Threads: one thread, after it was made.
class GroupMembers {
 public:
  bool Has(const device::ClientId& client_id) const;

 private:
  friend class Groups;
  std::vector<device::ClientId> client_ids_;  // sorted
  base::SteadyTime look_again_at_{};
};

// The groups of all streams, each looked up once for all who name it. Threads: Open from any;
// Refresh from the one that asks the members.
class Groups {
 public:
  using Tenant = postgres::GroupStore::Tenant;

  explicit Groups(postgres::GroupStore& store) : store_(store) {}

  // Null: there is no such group. kTooLarge: it has more than action::kMostMembers; kUnavailable:
  // all that are listened to have too many. Else as GroupStore.
  base::Result<std::shared_ptr<const GroupMembers>> Open(const Tenant& tenant,
                                                         const action::GroupName& name);
  // Looks one up again whose time has come. A group that was deleted has no members from then on;
  // one that has grown too large keeps those that it had: the error says so.
  base::Status Refresh(base::SteadyTime now);

 private:
  using Key = std::pair<Tenant, action::GroupName>;

  std::shared_ptr<GroupMembers> Known(const Key& key);  // mutex_ is held
  std::size_t Total();                                  // mutex_ is held

  postgres::GroupStore& store_;
  std::mutex mutex_;
  std::map<Key, std::weak_ptr<GroupMembers>> groups_;  // guarded by mutex_
  std::map<Key, std::size_t> sizes_;                   // of client_ids_; guarded by mutex_
};

}  // namespace heliograph::events
