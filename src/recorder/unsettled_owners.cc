#include "recorder/unsettled_owners.h"

#include <algorithm>
#include <utility>

#include "recorder/fenced.h"

namespace heliograph::recorder {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kMost = 100'000;
constexpr std::size_t kLookAt = 1000;
constexpr std::size_t kRounds = 8;  // in which all are looked at, also when they are many
constexpr std::chrono::milliseconds kLookEvery{100};

}  // namespace

UnsettledOwners::UnsettledOwners(owner::Resolver& resolver, postgres::Pool& pool, std::string topic,
                                 metrics::Registry& metrics)
    : resolver_(resolver),
      pool_(pool),
      topic_(std::move(topic)),
      unsettled_(metrics.AddGauge("heliograph_recorder_owners_unsettled",
                                  "Stored connections whose owner could not be told yet, and is "
                                  "asked for.")),
      changed_(metrics.AddCounter("heliograph_recorder_owners_changed_total",
                                  "Stored connections that got another owner.")) {}

UnsettledOwners::~UnsettledOwners() { Count(-static_cast<std::ptrdiff_t>(size_)); }

void UnsettledOwners::Count(std::ptrdiff_t change) {
  size_ = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(size_) + change);
  unsettled_.Add(static_cast<double>(change));
}

bool UnsettledOwners::HasRoom() const { return size_ < kMost; }

void UnsettledOwners::Add(std::int32_t partition, const device::ClientId& client_id) {
  if (!HasRoom()) return;
  Waiting& waiting = partitions_[partition];
  if (!waiting.ids.insert(client_id).second) return;
  waiting.order.push_back(client_id);
  Count(1);
}

void UnsettledOwners::GiveUp(std::int32_t partition) {
  const auto found = partitions_.find(partition);
  if (found == partitions_.end()) return;
  Count(-static_cast<std::ptrdiff_t>(found->second.order.size()));
  partitions_.erase(found);
}

std::vector<postgres::OwnedConnection> UnsettledOwners::Look(Waiting& waiting) {
  const std::size_t size = waiting.order.size();
  const auto most =
      static_cast<std::ptrdiff_t>(std::min(size, std::max(kLookAt, size / kRounds + 1)));
  const std::vector<device::ClientId> asked(waiting.order.begin(), waiting.order.begin() + most);
  waiting.order.erase(waiting.order.begin(), waiting.order.begin() + most);
  waiting.order.insert(waiting.order.end(), asked.begin(), asked.end());
  auto answers = resolver_.Resolve(asked, owner::Urgency::kInBackground);
  std::vector<postgres::OwnedConnection> told;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (answers[i].told) told.push_back({asked[i], std::move(answers[i].owner)});
  }
  return told;
}

base::Status UnsettledOwners::Save(const postgres::LogOffset& offset,
                                   const std::vector<postgres::OwnedConnection>& told) {
  auto fenced = BeginFenced(pool_, topic_, offset);
  if (!fenced) return std::move(fenced).error();
  if (!*fenced) return {};
  auto changed = postgres::SaveOwners((*fenced)->transaction, offset.partition, told);
  if (!changed) return std::move(changed).error();
  if (auto committed = (*fenced)->transaction.Commit(); !committed) return committed;
  changed_.Add(static_cast<double>(*changed));
  Waiting& waiting = partitions_.at(offset.partition);
  for (const postgres::OwnedConnection& one : told) waiting.ids.erase(one.client_id);
  std::erase_if(waiting.order,
                [&](const device::ClientId& id) { return !waiting.ids.contains(id); });
  Count(-static_cast<std::ptrdiff_t>(told.size()));
  if (waiting.ids.empty()) partitions_.erase(offset.partition);
  return {};
}

base::Status UnsettledOwners::Step(const Offsets& offsets) {
  if (partitions_.empty() || steady_clock::now() < look_at_) return {};
  look_at_ = steady_clock::now() + kLookEvery;
  for (const auto& [partition, offset] : offsets) {
    const auto waiting = partitions_.find(partition);
    if (waiting == partitions_.end()) continue;
    const auto told = Look(waiting->second);
    if (told.empty()) continue;
    if (auto saved = Save(offset, told); !saved) return saved;
  }
  return {};
}

}  // namespace heliograph::recorder
