#include "events/group_members.h"

#include <algorithm>

namespace heliograph::events {
namespace {

// Of all groups together: some 64 MiB, where their ids are long.
constexpr std::size_t kMostInAll = 500'000;

base::Error TooLarge() {
  return base::MakeError(base::ErrorCode::kTooLarge, "the group has more than " +
                                                         std::to_string(action::kMostMembers) +
                                                         " devices, and cannot be listened to");
}

}  // namespace

bool GroupMembers::Has(const device::ClientId& client_id) const {
  return std::binary_search(client_ids_.begin(), client_ids_.end(), client_id);
}

std::shared_ptr<GroupMembers> Groups::Known(const Key& key) {
  const auto at = groups_.find(key);
  return at == groups_.end() ? nullptr : at->second.lock();
}

std::size_t Groups::Total() {
  std::erase_if(groups_, [this](const auto& one) {
    if (!one.second.expired()) return false;
    sizes_.erase(one.first);
    return true;
  });
  std::size_t total = 0;
  for (const auto& [key, size] : sizes_) total += size;
  return total;
}

base::Result<std::shared_ptr<const GroupMembers>> Groups::Open(const Tenant& tenant,
                                                               const action::GroupName& name) {
  const Key key{tenant, name};
  {
    const std::lock_guard lock(mutex_);
    if (auto known = Known(key)) return std::shared_ptr<const GroupMembers>(std::move(known));
  }
  auto found = store_.Resolve(tenant, name, static_cast<std::int64_t>(action::kMostMembers) + 1);
  if (!found) return std::move(found).error();
  if (!*found) return std::shared_ptr<const GroupMembers>();
  if ((*found)->size() > action::kMostMembers) return TooLarge();
  auto members = std::make_shared<GroupMembers>();
  members->client_ids_ = **std::move(found);
  members->look_again_at_ = std::chrono::steady_clock::now() + kGroupsAreLookedUpEvery;
  const std::lock_guard lock(mutex_);
  if (auto known = Known(key)) return std::shared_ptr<const GroupMembers>(std::move(known));
  const std::size_t size = members->client_ids_.size();
  if (Total() + size > kMostInAll) {
    return base::MakeError(base::ErrorCode::kUnavailable,
                           "the groups that are listened to have too many devices");
  }
  groups_[key] = members;
  sizes_[key] = size;
  return std::shared_ptr<const GroupMembers>(std::move(members));
}

base::Status Groups::Refresh(base::SteadyTime now) {
  std::shared_ptr<GroupMembers> due;
  Key key;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, group] : groups_) {
      due = group.lock();
      key = name;
      if (due && due->look_again_at_ <= now) break;
      due.reset();
    }
  }
  if (!due) return {};
  due->look_again_at_ = now + kGroupsAreLookedUpEvery;
  auto found =
      store_.Resolve(key.first, key.second, static_cast<std::int64_t>(action::kMostMembers) + 1);
  if (!found) return std::move(found).error();
  if (!*found) *found = std::vector<device::ClientId>();
  if ((*found)->size() > action::kMostMembers) return TooLarge();
  due->client_ids_ = **std::move(found);
  const std::lock_guard lock(mutex_);
  sizes_[key] = due->client_ids_.size();
  return {};
}

}  // namespace heliograph::events
