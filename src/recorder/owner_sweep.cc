#include "recorder/owner_sweep.h"

#include <utility>

#include "recorder/fenced.h"

namespace heliograph::recorder {
namespace {

using std::chrono::steady_clock;

constexpr std::int64_t kPage = 1000;

}  // namespace

OwnerSweep::OwnerSweep(owner::Resolver& resolver, postgres::Pool& pool, std::string topic,
                       UnsettledOwners& unsettled)
    : resolver_(resolver), pool_(pool), topic_(std::move(topic)), unsettled_(unsettled) {}

void OwnerSweep::GiveUp(std::int32_t partition) {
  swept_.erase(partition);
  to_note_.erase(partition);
  if (place_ && place_->partition == partition) place_.reset();
}

// A sweep goes on to its end whatever changes meanwhile: one that is slower than the revision
// changes would else never come to the last ones.
bool OwnerSweep::FindWork(const Offsets& offsets) {
  const std::string revision = resolver_.Revision();
  if (place_) {
    place_->mixed = place_->mixed || place_->revision != revision;
    return true;
  }
  for (const auto& [partition, offset] : offsets) {
    const auto known = swept_.find(partition);
    const std::string& last = known != swept_.end() ? known->second : offset.owner_rules;
    if (last == revision) continue;
    place_ = Place{partition, revision};
    changed_ = 0;
    return true;
  }
  return FindUnowned(offsets, revision);
}

bool OwnerSweep::FindUnowned(const Offsets& offsets, const std::string& revision) {
  const auto retry = resolver_.retry();
  if (!retry || steady_clock::now() < unowned_at_) return false;
  const auto next = offsets.upper_bound(unowned_before_);
  if (next == offsets.end()) {
    unowned_before_ = -1;
    unowned_at_ = steady_clock::now() + *retry;
    return false;
  }
  unowned_before_ = next->first;
  place_ = Place{next->first, revision, true};
  changed_ = 0;
  return true;
}

base::Result<bool> OwnerSweep::Step(const Offsets& offsets) {
  if (auto noted = NoteSettled(offsets); !noted) return std::move(noted).error();
  if (!FindWork(offsets)) return false;
  const auto expected = offsets.find(place_->partition);
  if (expected == offsets.end()) {
    place_.reset();
    return true;
  }
  if (!unsettled_.HasRoom()) return false;
  auto fenced = BeginFenced(pool_, topic_, expected->second);
  if (!fenced) return std::move(fenced).error();
  if (!*fenced) {
    place_.reset();
    return false;
  }
  auto page = Sweep((*fenced)->transaction);
  if (!page) return std::move(page).error();
  if (auto committed = (*fenced)->transaction.Commit(); !committed) {
    return std::move(committed).error();
  }
  for (const device::ClientId& client_id : page->untold) {
    unsettled_.Add(place_->partition, client_id);
  }
  if (page->last) {
    place_->after = *std::move(page->last);
  } else {
    End();
  }
  return true;
}

void OwnerSweep::End() {
  if (changed_ > 0) {
    log_.Info("connections have new owners",
              {{"partition", place_->partition}, {"connections", changed_}});
  }
  if (!place_->only_unowned && !place_->mixed) {
    swept_[place_->partition] = place_->revision;
    if (unsettled_.Has(place_->partition)) to_note_[place_->partition] = place_->revision;
  }
  place_.reset();
}

base::Result<OwnerSweep::Page> OwnerSweep::Sweep(postgres::Transaction& transaction) {
  auto page = place_->only_unowned
                  ? postgres::ListUnowned(transaction, place_->partition, place_->after, kPage)
                  : postgres::ListOwners(transaction, place_->partition, place_->after, kPage);
  if (!page) return std::move(page).error();
  std::vector<device::ClientId> client_ids;
  for (const postgres::OwnedConnection& one : *page) client_ids.push_back(one.client_id);
  auto answers = resolver_.Resolve(client_ids, owner::Urgency::kInBackground);
  Page swept;
  std::vector<postgres::OwnedConnection> changed;
  for (std::size_t i = 0; i < page->size(); ++i) {
    if (!answers[i].told) {
      swept.untold.push_back(client_ids[i]);
    } else if ((*page)[i].tenant != answers[i].owner) {
      changed.push_back({client_ids[i], std::move(answers[i].owner)});
    }
  }
  const auto saved = postgres::SaveOwners(transaction, place_->partition, changed);
  if (!saved) return saved.error();
  changed_ += *saved;
  if (static_cast<std::int64_t>(client_ids.size()) == kPage) {
    swept.last = std::move(client_ids.back());
    return swept;
  }
  // What is unsettled yet would not be asked about again by the next process.
  const bool settled = swept.untold.empty() && !unsettled_.Has(place_->partition);
  if (place_->only_unowned || place_->mixed || !settled) return swept;
  auto noted = postgres::NoteOwnerRules(transaction, topic_, place_->partition, place_->revision);
  if (!noted) return std::move(noted).error();
  return swept;
}

base::Status OwnerSweep::NoteSettled(const Offsets& offsets) {
  for (auto one = to_note_.begin(); one != to_note_.end(); ++one) {
    const auto expected = offsets.find(one->first);
    if (expected == offsets.end() || unsettled_.Has(one->first)) continue;
    auto fenced = BeginFenced(pool_, topic_, expected->second);
    if (!fenced) return std::move(fenced).error();
    if (!*fenced) continue;
    auto noted = postgres::NoteOwnerRules((*fenced)->transaction, topic_, one->first, one->second);
    if (!noted) return noted;
    if (auto committed = (*fenced)->transaction.Commit(); !committed) return committed;
    to_note_.erase(one);
    return {};
  }
  return {};
}

}  // namespace heliograph::recorder
