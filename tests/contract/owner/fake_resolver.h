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

  // From now on it cannot tell anybody's owner; or it can again.
  void Hide(bool hidden) { hidden_ = hidden; }

  std::vector<Answer> Resolve(std::span<const device::ClientId> client_ids,
                              Urgency /*urgency*/) override {
    std::vector<Answer> answers(client_ids.size());
    if (hidden_) return answers;
    for (std::size_t i = 0; i < client_ids.size(); ++i) {
      const auto at = owners_.find(client_ids[i]);
      answers[i] = {true, at == owners_.end() ? Owner() : Owner(at->second)};
    }
    return answers;
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

  Condition condition() const override { return {}; }

  std::optional<std::chrono::milliseconds> retry() const override { return retry_; }
  void Retry(std::optional<std::chrono::milliseconds> retry) { retry_ = retry; }

 private:
  Owners owners_;
  std::optional<Owners> next_;
  std::optional<std::chrono::milliseconds> retry_;
  bool hidden_ = false;
};

}  // namespace heliograph::owner
