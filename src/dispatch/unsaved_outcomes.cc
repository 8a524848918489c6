#include "dispatch/unsaved_outcomes.h"

#include <optional>
#include <utility>

namespace heliograph::dispatch {
namespace {

std::size_t BytesOf(const postgres::FinishedRequest& finished) {
  return finished.answer.size() + finished.outcomes.size() * sizeof(postgres::Outcome) + 512;
}

}  // namespace

UnsavedOutcomes::UnsavedOutcomes(postgres::ActionStore& store, metrics::Registry& metrics)
    : store_(store),
      kept_(metrics.AddGauge(
          "heliograph_dispatch_unsaved_actions",
          "Actions that were published and whose outcomes wait for the database.")),
      dropped_(metrics.AddCounter("heliograph_dispatch_dropped_outcomes_total",
                                  "Actions whose outcomes were given up: too many waited.")) {}

void UnsavedOutcomes::SetGauge() { kept_.Set(static_cast<double>(queue_.size())); }

void UnsavedOutcomes::Keep(postgres::FinishedRequest finished) {
  const std::lock_guard lock(mutex_);
  bytes_ += BytesOf(finished);
  queue_.push_back(std::move(finished));
  while (bytes_ > kMostBytes) {
    log_.Error(dropped_line_, "outcomes given up, too many wait for the database",
               {{"action_id", queue_.front().action_id.view()}});
    dropped_.Add();
    bytes_ -= BytesOf(queue_.front());
    queue_.pop_front();
  }
  SetGauge();
}

bool UnsavedOutcomes::Save() {
  while (true) {
    std::optional<postgres::FinishedRequest> oldest;
    {
      const std::lock_guard lock(mutex_);
      if (queue_.empty()) return true;
      bytes_ -= BytesOf(queue_.front());
      oldest = std::move(queue_.front());
      queue_.pop_front();
    }
    const base::Status saved = store_.Finish(*oldest);
    const bool again = !saved && base::IsRetriable(saved.error().code);
    if (!saved && !again) {
      // kConflict: its lease was over, and another process has ended it.
      log_.Warn("outcomes came too late",
                {{"action_id", oldest->action_id.view()}, {"why", saved.error().message}});
    }
    const std::lock_guard lock(mutex_);
    if (again) {
      bytes_ += BytesOf(*oldest);
      queue_.push_front(*std::move(oldest));
    }
    SetGauge();
    if (again) return false;
  }
}

}  // namespace heliograph::dispatch
