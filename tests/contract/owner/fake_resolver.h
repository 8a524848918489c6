// Owners from a map, for tests of those who ask.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "owner/resolver.h"

namespace heliograph::owner {

// Threads: one thread.
class FakeResolver final : public Resolver {
 public:
  using Owners = std::map<device::ClientId, device::TenantId>;

  explicit FakeResolver(Owners owners = {}) : owners_(std::move(owners)) {}

  // Seen after the next Refresh.
  void Change(Owners owners) { next_ = std::move(owners); }

  base::Result<std::vector<Owner>> Resolve(std::span<const device::ClientId> client_ids) override {
    std::vector<Owner> found;
    for (const device::ClientId& client_id : client_ids) {
      const auto at = owners_.find(client_id);
      found.push_back(at == owners_.end() ? Owner() : Owner(at->second));
    }
    return found;
  }

  void Refresh() override {
    if (!next_) return;
    owners_ = *std::exchange(next_, std::nullopt);
  }

  std::string Revision() const override {
    std::string revision;
    for (const auto& [client_id, tenant] : owners_)
      revision += client_id.str() + "=" + tenant.str() + ";";
    return revision;
  }

  std::string Trouble() const override { return ""; }

 private:
  Owners owners_;
  std::optional<Owners> next_;
};

}  // namespace heliograph::owner
