#include "dispatch/dispatcher.h"

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "action/action.h"
#include "json/json.h"

namespace heliograph::dispatch {
namespace {

using action::TargetStatus;
using base::ErrorCode;
using base::MakeError;
using std::chrono::milliseconds;

constexpr milliseconds kFirstLook{5};
constexpr milliseconds kLongestLook{100};
// A twin that waits longer holds a thread that others need, so only some may.
constexpr milliseconds kShortWait{1000};
// A key that is taken, then forgotten, then taken again, while we look.
constexpr int kTries = 3;

// Counts those who wait long, while it lives.
class LongWait {
 public:
  LongWait(std::atomic<std::int64_t>& waiting, std::int64_t most)
      : waiting_(waiting), most_(most) {}
  ~LongWait() {
    if (counted_) --waiting_;
  }
  LongWait(const LongWait&) = delete;
  LongWait& operator=(const LongWait&) = delete;

  bool Enter() {
    if (counted_) return true;
    counted_ = true;
    return ++waiting_ <= most_;
  }

 private:
  std::atomic<std::int64_t>& waiting_;
  const std::int64_t most_;
  bool counted_ = false;
};

base::Error StillRuns() {
  return MakeError(ErrorCode::kUnavailable,
                   "an earlier request with this Idempotency-Key is still being carried out");
}

bool IsSent(const postgres::AcceptedTarget& target) {
  return target.status == TargetStatus::kAccepted;
}

action::Target TargetOf(const postgres::AcceptedTarget& accepted, base::Timestamp created_at) {
  action::Target target;
  target.client_id = accepted.client_id;
  target.status = accepted.status;
  target.updated_at = created_at;
  target.reason = accepted.reason;
  return target;
}

// Made once: to look one up costs as much as to write an action's JSON.
std::vector<metrics::Counter> TargetCounters(metrics::Registry& metrics) {
  std::vector<metrics::Counter> counters;
  counters.reserve(action::kTargetStatuses);
  for (std::size_t i = 0; i < action::kTargetStatuses; ++i) {
    const auto name = action::TargetStatusName(static_cast<TargetStatus>(i));
    counters.push_back(metrics.AddCounter("heliograph_dispatch_targets_total",
                                          "Targets of accepted actions, by what became of them.",
                                          {{"status", std::string(name)}}));
  }
  return counters;
}

}  // namespace

postgres::TargetSet TargetSetOf(const action::Request& request,
                                const std::optional<device::TenantId>& tenant) {
  return {tenant, request.client_ids, request.group, request.selector, request.exclude};
}

Dispatcher::Dispatcher(postgres::ActionStore& store, postgres::SetStore& sets, Publisher& publisher,
                       const Lease& lease, UnsavedOutcomes& unsaved, const ActionsConfig& config,
                       const base::Clock& clock, metrics::Registry& metrics)
    : store_(store),
      sets_(sets),
      publisher_(publisher),
      lease_(lease),
      unsaved_(unsaved),
      config_(config),
      clock_(clock),
      actions_(
          metrics.AddCounter("heliograph_dispatch_actions_total", "Actions that were accepted.")),
      repeats_(
          metrics.AddCounter("heliograph_dispatch_repeated_requests_total",
                             "Requests that were answered with the answer of an earlier one.")),
      targets_(TargetCounters(metrics)) {}

base::Result<Answer> Dispatcher::Submit(const Submission& submission) {
  if (base::Status size = CheckSize(submission.request); !size) return std::move(size).error();
  if (base::Status deadline = CheckDeadline(submission.request); !deadline) {
    // It was in time when the key was used first.
    auto followed = Follow(submission);
    if (!followed) return std::move(followed).error();
    if (!*followed) return std::move(deadline).error();
    repeats_.Add();
    return **std::move(followed);
  }
  for (int i = 0; i < kTries; ++i) {
    // Before anything is stored: who is refused here may come again with the same key.
    auto place = publisher_.Enter();
    const std::string dispatcher = lease_.holder();
    if (place && dispatcher.empty()) {
      return MakeError(ErrorCode::kUnavailable, "another process has taken this one's work over");
    }
    if (place) {
      const postgres::NewAction action = NewActionOf(submission, dispatcher);
      const auto asked_at = clock_.SteadyNow();
      const auto accepted = store_.Create(action);
      if (!accepted) return accepted.error();
      if (*accepted) return Carry(submission, action, **accepted, asked_at, *std::move(place));
      place->reset();
    }
    auto followed = Follow(submission);
    if (!followed) return std::move(followed).error();
    if (*followed) {
      repeats_.Add();
      return **std::move(followed);
    }
    if (!place) return std::move(place).error();
  }
  return StillRuns();
}

base::Result<std::variant<Answer, postgres::SetRefusal>> Dispatcher::SubmitSet(
    const Submission& submission, const postgres::Judge& judge,
    const std::optional<postgres::NamedDryRun>& dry_run) {
  using SetAnswer = std::variant<Answer, postgres::SetRefusal>;
  if (base::Status size = CheckSize(submission.request); !size) return std::move(size).error();
  base::Status deadline = CheckDeadline(submission.request);
  postgres::NewSetAction action{NewActionOf(submission, ""),
                                TargetSetOf(submission.request, submission.key.tenant), judge,
                                dry_run};
  action.action.client_ids.clear();
  for (int i = 0; i < kTries; ++i) {
    if (deadline) {
      auto created = sets_.Create(action);
      if (!created) return std::move(created).error();
      if (auto* set = std::get_if<postgres::CreatedSet>(&*created)) {
        actions_.Add();
        Count(set->action);
        return SetAnswer(Answer{set->action.id, std::move(set->answer)});
      }
      if (const auto* refusal = std::get_if<postgres::SetRefusal>(&*created)) {
        return SetAnswer(*refusal);
      }
    }
    auto followed = Follow(submission);
    if (!followed) return std::move(followed).error();
    if (*followed) {
      repeats_.Add();
      return SetAnswer(**std::move(followed));
    }
    // It was in time when the key was used first; nobody used it.
    if (!deadline) return std::move(deadline).error();
  }
  return StillRuns();
}

base::Status Dispatcher::CheckSize(const action::Request& request) const {
  const Order order{{}, request.directive, request.payload, request.metadata, {}, {}, {}};
  if (!request.client_ids.empty()) return publisher_.CheckSize(order, request.client_ids);
  static const std::vector longest{device::ClientId(std::string(128, 'x'))};
  return publisher_.CheckSize(order, longest);
}

base::Status Dispatcher::CheckDeadline(const action::Request& request) const {
  if (!request.deadline) return {};
  const auto now = clock_.Now();
  if (*request.deadline <= now) {
    return MakeError(ErrorCode::kInvalidArgument, "the deadline has passed");
  }
  if (*request.deadline > now + action::kLongestLife) {
    return MakeError(ErrorCode::kInvalidArgument, "the deadline is more than 30 days away");
  }
  return {};
}

base::Status Dispatcher::CheckStart(const action::Request& request) const {
  const auto& start = request.rollout.not_before;
  const auto ttl =
      request.ttl.value_or(std::chrono::duration_cast<std::chrono::seconds>(config_.default_ttl));
  if (!start || *start < request.deadline.value_or(clock_.Now() + ttl)) return {};
  return MakeError(ErrorCode::kInvalidArgument, "the start is not before the deadline, " +
                                                    std::to_string(ttl.count()) +
                                                    " seconds after acceptance");
}

postgres::NewAction Dispatcher::NewActionOf(const Submission& submission,
                                            std::string dispatcher) const {
  postgres::NewAction action;
  action.request = submission.key;
  action.dispatcher = std::move(dispatcher);
  action.request_hash = submission.request_hash;
  action.lease = publisher_.TimeFor(submission.request.client_ids.size()) + kLeaseMargin;
  action.action.id = action::NewActionId(clock_.Now());
  action.action.directive = submission.request.directive;
  action.action.payload = submission.request.payload;
  if (!submission.request.metadata.empty()) {
    action.action.metadata = json::Write(json::Value(submission.request.metadata));
  }
  action.action.requested_by = submission.origin.caller;
  action.origin = submission.origin;
  action.action.if_offline = submission.request.if_offline;
  action.action.rollout = submission.request.rollout;
  action.action.tenant = submission.key.tenant;
  action.action.replay_of = submission.replay_of;
  action.deadline = submission.request.deadline;
  action.ttl = submission.request.ttl.value_or(
      std::chrono::duration_cast<std::chrono::seconds>(config_.default_ttl));
  action.client_ids = submission.request.client_ids;
  action.forbidden = submission.forbidden;
  return action;
}

base::Result<Answer> Dispatcher::Carry(const Submission& submission,
                                       const postgres::NewAction& stored,
                                       const postgres::AcceptedAction& accepted,
                                       base::SteadyTime asked_at, Gate::Place place) {
  const auto begin = clock_.SteadyNow();
  actions_.Add();
  std::vector<device::ClientId> reachable;
  for (const postgres::AcceptedTarget& target : accepted.targets) {
    if (IsSent(target)) reachable.push_back(target.client_id);
  }
  std::vector<Fate> fates;
  if (!reachable.empty()) {
    // The database counts from when it had the request, which was after asked_at: however long its
    // answer took, nothing is published late.
    fates = publisher_.Publish(
        {stored.action.id, submission.request.directive, submission.request.payload,
         submission.request.metadata, accepted.deadline,
         asked_at + (accepted.deadline - accepted.created_at), stored.dispatcher},
        reachable, asked_at + stored.lease - kLeaseMargin / 2);
  }
  place.reset();
  // The database's clock at acceptance and our own count since: no clock can put the end before the
  // beginning.
  const base::Timestamp finished_at =
      accepted.created_at +
      std::chrono::duration_cast<std::chrono::microseconds>(clock_.SteadyNow() - begin);
  return Store(Conclude(stored, accepted, fates, finished_at));
}

postgres::FinishedRequest Dispatcher::Conclude(const postgres::NewAction& stored,
                                               const postgres::AcceptedAction& accepted,
                                               const std::vector<Fate>& fates,
                                               base::Timestamp finished_at) const {
  postgres::FinishedRequest finished{stored.request, stored.action.id, {}, finished_at, {}};
  action::Action action = stored.action;
  action.created_at = accepted.created_at;
  action.deadline = accepted.deadline;
  std::vector<action::Target> targets;
  targets.reserve(accepted.targets.size());
  auto fate = fates.begin();
  for (const postgres::AcceptedTarget& each : accepted.targets) {
    action::Target target = TargetOf(each, accepted.created_at);
    if (IsSent(each)) {
      const bool waits = action.if_offline == action::IfOffline::kQueue &&
                         fate->reason == action::kNoMatchingSubscribers;
      const action::TargetEvent event = waits ? action::TargetEvent::kQueued : fate->event;
      target.status = action::Next(each.status, event).value_or(each.status);
      target.reason = fate->reason;
      target.updated_at = finished_at;
      finished.outcomes.push_back({each.client_id, event, target.reason});
      ++fate;
    }
    ++action.totals[target.status];
    targets.push_back(std::move(target));
  }
  action.as_of = finished_at;
  if (targets.size() <= action::kTargetsInFull) action.targets = std::move(targets);
  action::CountEnded(action);
  Count(action);
  finished.answer = action::WriteAction(action);
  return finished;
}

base::Result<Answer> Dispatcher::Store(const postgres::FinishedRequest& finished) {
  const base::Status stored = store_.Finish(finished);
  if (stored) return Answer{finished.action_id, finished.answer};
  if (stored.error().code == ErrorCode::kConflict) {
    // We were stopped for longer than our lease, and somebody else has ended the action: his word
    // counts.
    const auto found = store_.FindRequest(finished.request);
    if (!found) return found.error();
    if (*found && (*found)->answer) return Answer{(*found)->action_id, *(*found)->answer};
    return StillRuns();
  }
  log_.Error(unsaved_line_, "outcomes of an action could not be stored",
             {{"action_id", finished.action_id.view()}, {"why", stored.error().message}});
  if (base::IsRetriable(stored.error().code)) unsaved_.Keep(finished);
  return Answer{finished.action_id, finished.answer};
}

void Dispatcher::Count(const action::Action& action) const {
  for (const auto& [status, count] : action.totals) {
    targets_[static_cast<std::size_t>(status)].Add(static_cast<double>(count));
  }
}

base::Result<std::optional<postgres::StoredRequest>> Dispatcher::FindEarlier(
    const Submission& submission) {
  auto found = store_.FindRequest(submission.key);
  if (found && *found && (*found)->request_hash != submission.request_hash) {
    return MakeError(ErrorCode::kConflict, "the Idempotency-Key was used for another request");
  }
  return found;
}

base::Result<std::optional<Answer>> Dispatcher::Follow(const Submission& submission) {
  const auto begin = clock_.SteadyNow();
  const auto longest =
      publisher_.TimeFor(submission.request.client_ids.size()) + kLeaseMargin + 2 * kGrace;
  LongWait long_wait(waiting_twins_, config_.max_waiting_twins);
  base::SteadyTime cared_for_at = begin;
  for (milliseconds pause = kFirstLook;; pause = std::min(pause * 2, kLongestLook)) {
    auto earlier = FindEarlier(submission);
    if (!earlier) return std::move(earlier).error();
    if (!*earlier) return std::optional<Answer>();
    if ((*earlier)->answer) {
      return std::optional(Answer{(*earlier)->action_id, *std::move((*earlier)->answer)});
    }
    const auto now = clock_.SteadyNow();
    if (now - begin > longest) return StillRuns();
    if (now - begin > kShortWait && !long_wait.Enter()) return StillRuns();
    if (!(*earlier)->abandoned) cared_for_at = now;
    if (now - cared_for_at >= kGrace) {
      const auto finished = store_.FinishAbandoned(submission.key);
      if (!finished) return finished.error();
    }
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace heliograph::dispatch
