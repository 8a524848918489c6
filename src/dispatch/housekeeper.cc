#include "dispatch/housekeeper.h"

#include <algorithm>

#include "base/thread_name.h"
#include "dispatch/dispatcher.h"

namespace heliograph::dispatch {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kTurn{250};
constexpr seconds kLookEvery{1};
constexpr seconds kPingLimit{2};
constexpr seconds kEndEvery{1};
constexpr seconds kForgetEvery{60};
constexpr int kMostAtOnce = 100;  // then the database is looked at again
constexpr std::int64_t kForgottenAtOnce = 1000;
constexpr std::int64_t kChangesAtOnce = 10'000;  // small rows, several for each target

metrics::Counter CounterOf(metrics::Registry& metrics, const std::string& what) {
  return metrics.AddCounter("heliograph_dispatch_forgotten_rows_total",
                            "Rows that were deleted after their time.", {{"what", what}});
}

}  // namespace

Housekeeper::Housekeeper(postgres::ActionStore& store, UnsavedOutcomes& unsaved, Archive archive,
                         base::Health& health, const base::Clock& clock, metrics::Registry& metrics)
    : store_(store),
      unsaved_(unsaved),
      archive_(archive),
      health_(health),
      clock_(clock),
      abandoned_(metrics.AddCounter(
          "heliograph_dispatch_abandoned_actions_total",
          "Actions whose targets were queued because the process that accepted them ended.")),
      expired_(metrics.AddCounter("heliograph_dispatch_expired_targets_total",
                                  "Targets that were open when the deadline passed.")),
      forgotten_keys_(CounterOf(metrics, "keys")),
      forgotten_changes_(CounterOf(metrics, "changes")),
      forgotten_letters_(CounterOf(metrics, "dead_letters")) {
  health_.SetNotReady("postgres", "not asked yet");
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

Housekeeper::~Housekeeper() = default;

void Housekeeper::Run(const std::stop_token& stop) {
  base::NameThisThread("housekeeping");
  while (!stop.stop_requested()) {
    Turn();
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, kTurn, [] { return false; });
  }
  // The last chance for what is not stored; without it, it would be reported as not known.
  unsaved_.Save();
}

void Housekeeper::Turn() {
  const auto now = clock_.SteadyNow();
  if (now >= look_at_) {
    look_at_ = now + kLookEvery;
    if (!LookAtDatabase()) return;
  }
  if (!reachable_ || !unsaved_.Save()) return;
  // Other replicas may have unsaved outcomes too: they come first.
  if (now - reachable_since_ < kGrace) return;
  if (now >= end_at_) {
    end_at_ = now + kEndEvery;
    EndAbandoned();
    ExpireDue();
  }
  if (now >= forget_at_) {
    forget_at_ = now + kForgetEvery;
    ForgetOld();
  }
}

bool Housekeeper::LookAtDatabase() {
  const base::Status answer = store_.Ping(kPingLimit);
  if (!answer) {
    reachable_ = false;
    health_.SetNotReady("postgres", answer.error().message);
    return false;
  }
  if (!reachable_) {
    reachable_ = true;
    reachable_since_ = clock_.SteadyNow();
  }
  health_.SetReady("postgres");
  return true;
}

void Housekeeper::EndAbandoned() {
  for (int i = 0; i < kMostAtOnce; ++i) {
    const auto ended = store_.FinishOldestAbandoned(kGrace);
    if (!ended) {
      if (!base::IsRetriable(ended.error().code)) {
        log_.Error("an abandoned action could not be queued", {{"why", ended.error().message}});
      }
      return;
    }
    if (!*ended) return;
    abandoned_.Add();
    log_.Warn("queued what a process left of an action");
  }
}

void Housekeeper::ExpireDue() {
  for (int i = 0; i < kMostAtOnce; ++i) {
    const auto expired = store_.ExpireDue(most_due_);
    if (!expired) {
      if (expired.error().code == base::ErrorCode::kDeadlineExceeded && most_due_ > 1) {
        // Large actions, read from a slow disk: fewer at a time, or they would hold up all others.
        most_due_ = std::max<std::int64_t>(most_due_ / 10, 1);
        log_.Warn(slow_line_, "expiring targets took too long, fewer actions at a time now",
                  {{"actions", most_due_}, {"why", expired.error().message}});
      }
      if (!base::IsRetriable(expired.error().code)) {
        log_.Error("targets could not be expired", {{"why", expired.error().message}});
      }
      return;
    }
    most_due_ = std::min(most_due_ * 2, postgres::kMostDueActions);
    expired_.Add(static_cast<double>(expired->targets));
    if (!expired->more) return;
  }
}

void Housekeeper::ForgetOld() {
  const auto forget = [this](metrics::Counter& counter, std::int64_t most, auto some) {
    for (int i = 0; i < kMostAtOnce; ++i) {
      const base::Result<std::int64_t> forgotten = some(most);
      if (!forgotten) {
        if (!base::IsRetriable(forgotten.error().code)) {
          log_.Error("what is old could not be deleted", {{"why", forgotten.error().message}});
        }
        return;
      }
      counter.Add(static_cast<double>(*forgotten));
      if (*forgotten < most) return;
    }
  };
  forget(forgotten_keys_, kForgottenAtOnce,
         [this](auto most) { return store_.ForgetOldKeys(most); });
  forget(forgotten_changes_, kChangesAtOnce,
         [this](auto most) { return archive_.log.Forget(most); });
  forget(forgotten_letters_, kForgottenAtOnce,
         [this](auto most) { return archive_.letters.Forget(most); });
  const base::Status forgotten = store_.ForgetOldDryRuns();
  if (!forgotten && !base::IsRetriable(forgotten.error().code)) {
    log_.Error("old dry runs could not be deleted", {{"why", forgotten.error().message}});
  }
  ForgetConnectionChanges();
}

void Housekeeper::ForgetConnectionChanges() {
  const auto forgotten = archive_.connections.Forget();
  if (forgotten && *forgotten) log_.Info("truncated a segment of the log of connections");
  // A reader that was in the way will not be there the next time.
  if (!forgotten && !base::IsRetriable(forgotten.error().code)) {
    log_.Error("old changes of connections could not be truncated",
               {{"why", forgotten.error().message}});
  }
}

}  // namespace heliograph::dispatch
