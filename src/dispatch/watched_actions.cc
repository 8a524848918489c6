#include "dispatch/watched_actions.h"

#include <algorithm>
#include <utility>

#include "base/thread_name.h"

namespace heliograph::dispatch {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr milliseconds kCountEvery{200};
constexpr int kRest = 4;  // times as long as counting took
constexpr seconds kPauseAfterFailure{1};
constexpr int kOldestByCost = 10;
constexpr seconds kAskedWithin{10};
// Each is one that some caller watches; more than these are counted for each who asks.
constexpr std::size_t kMostWatched = 64;

}  // namespace

WatchedActions::WatchedActions(Read read, milliseconds oldest)
    : read_(std::move(read)), oldest_(oldest) {
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

WatchedActions::~WatchedActions() = default;

base::Result<WatchedActions::Shared> WatchedActions::Get(
    const action::ActionId& id, const std::optional<device::TenantId>& tenant) {
  base::Result<Shared> found = Fresh(id);
  if (!*found) found = ReadNow(id, true);
  if (found && *found && tenant && (*found)->tenant != tenant) return Shared();
  return found;
}

WatchedActions::Shared WatchedActions::Fresh(const action::ActionId& id) {
  const std::lock_guard lock(mutex_);
  const auto found = watched_.find(id);
  if (found == watched_.end()) return nullptr;
  const auto now = steady_clock::now();
  found->second.asked_at = now;
  const auto oldest = std::max<steady_clock::duration>(oldest_, kOldestByCost * found->second.took);
  return now - found->second.read_at <= oldest ? found->second.action : nullptr;
}

// `asked`: not by the thread.
base::Result<WatchedActions::Shared> WatchedActions::ReadNow(const action::ActionId& id,
                                                             bool asked) {
  std::unique_lock lock(mutex_);
  const std::int64_t forgotten = forgotten_;
  lock.unlock();
  const auto began = steady_clock::now();
  auto read = read_(id);
  const auto took = steady_clock::now() - began;
  if (!read || !*read || (*read)->targets) return read;
  lock.lock();
  if (forgotten != forgotten_) return read;  // it may be of before that
  const auto known = watched_.find(id);
  if (known != watched_.end()) {
    if (known->second.read_at < began) {
      known->second.action = *read;
      known->second.read_at = began;
      known->second.took = took;
    }
  } else if (asked && watched_.size() < kMostWatched) {
    watched_.emplace(id, Watched{*read, began, took, steady_clock::now()});
    changed_.notify_one();
  }
  return read;
}

void WatchedActions::Forget(const action::ActionId& id) {
  const std::lock_guard lock(mutex_);
  ++forgotten_;
  watched_.erase(id);
}

void WatchedActions::Run(const std::stop_token& stop) {
  base::NameThisThread("watched");
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto now = steady_clock::now();
    std::erase_if(watched_,
                  [now](const auto& each) { return now - each.second.asked_at > kAskedWithin; });
    std::optional<action::ActionId> next;
    auto due = base::SteadyTime::max();
    for (const auto& [id, watched] : watched_) {
      const auto again = watched.read_at + watched.took +
                         std::max<steady_clock::duration>(kCountEvery, kRest * watched.took);
      if (again < due) {
        due = again;
        next = id;
      }
    }
    if (!next) {
      changed_.wait(lock, stop, [this] { return !watched_.empty(); });
    } else if (due > now) {
      const std::size_t size = watched_.size();
      changed_.wait_until(lock, stop, due, [this, size] { return watched_.size() != size; });
    } else {
      lock.unlock();
      const auto read = ReadNow(*next, false);
      lock.lock();
      if (!read) {
        // Whoever asks meanwhile is told what is wrong.
        changed_.wait_for(lock, stop, kPauseAfterFailure, [] { return false; });
      } else if (!*read) {
        watched_.erase(*next);
      }
    }
  }
}

}  // namespace heliograph::dispatch
