#include "recorder/owner_sweep.h"

namespace heliograph::recorder {
namespace {

constexpr std::int64_t kPage = 1000;
constexpr std::chrono::milliseconds kWaitForSession{1000};

}  // namespace

OwnerSweep::OwnerSweep(owner::Resolver& resolver, postgres::Pool& pool, std::string topic)
    : resolver_(resolver), pool_(pool), topic_(std::move(topic)) {}

void OwnerSweep::GiveUp(std::int32_t partition) {
  swept_.erase(partition);
  if (place_ && place_->partition == partition) place_.reset();
}

bool OwnerSweep::FindWork(const Offsets& offsets) {
  const std::string revision = resolver_.Revision();
  if (place_ && place_->revision != revision) place_.reset();  // changed again: from the beginning
  if (place_) return true;
  for (const auto& [partition, offset] : offsets) {
    const auto known = swept_.find(partition);
    const std::string& last = known != swept_.end() ? known->second : offset.owner_rules;
    if (last == revision) continue;
    place_ = Place{partition, revision, {}};
    changed_ = 0;
    return true;
  }
  return false;
}

base::Result<bool> OwnerSweep::Step(const Offsets& offsets) {
  if (!FindWork(offsets)) return false;
  const auto expected = offsets.find(place_->partition);
  if (expected == offsets.end()) {
    place_.reset();
    return true;
  }
  auto session = pool_.Acquire(std::chrono::steady_clock::now() + kWaitForSession);
  if (!session) return std::move(session).error();
  auto transaction = postgres::Transaction::Begin(**session);
  if (!transaction) return std::move(transaction).error();
  auto locked = postgres::LockOffsets(*transaction, topic_, std::span(&place_->partition, 1));
  if (!locked) return std::move(locked).error();
  if (locked->size() != 1 || locked->front().generation != expected->second.generation ||
      locked->front().next_offset != expected->second.next_offset) {
    place_
        .reset();  // another process owns it by now; the follower will find out with its next batch
    return false;
  }
  auto last = Page(*transaction);
  if (!last) return std::move(last).error();
  if (auto committed = transaction->Commit(); !committed) return std::move(committed).error();
  if (*last) {
    place_->after = **std::move(last);
  } else {
    End();
  }
  return true;
}

void OwnerSweep::End() {
  if (changed_ > 0) {
    log_.Info("connections have new owners by the changed rules",
              {{"partition", place_->partition}, {"connections", changed_}});
  }
  swept_[place_->partition] = place_->revision;
  place_.reset();
}

base::Result<std::optional<device::ClientId>> OwnerSweep::Page(postgres::Transaction& transaction) {
  auto page = postgres::ListOwners(transaction, place_->partition, place_->after, kPage);
  if (!page) return std::move(page).error();
  std::vector<device::ClientId> client_ids;
  for (const postgres::OwnedConnection& one : *page) client_ids.push_back(one.client_id);
  auto owners = resolver_.Resolve(client_ids);
  if (!owners) return std::move(owners).error();
  std::vector<postgres::OwnedConnection> changed;
  for (std::size_t i = 0; i < page->size(); ++i) {
    if ((*page)[i].tenant == (*owners)[i]) continue;
    changed.push_back({client_ids[i], std::move((*owners)[i])});
  }
  if (auto saved = postgres::SaveOwners(transaction, changed); !saved)
    return std::move(saved).error();
  changed_ += static_cast<std::int64_t>(changed.size());
  if (static_cast<std::int64_t>(client_ids.size()) == kPage) {
    return std::optional<device::ClientId>(std::move(client_ids.back()));
  }
  auto noted = postgres::NoteOwnerRules(transaction, topic_, place_->partition, place_->revision);
  if (!noted) return std::move(noted).error();
  return std::optional<device::ClientId>();
}

}  // namespace heliograph::recorder
