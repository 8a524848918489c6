#include "dispatch/queue_worker.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "action/action.h"
#include "base/thread_name.h"
#include "dispatch/dispatcher.h"
#include "json/json.h"

namespace heliograph::dispatch {
namespace {

using action::TargetEvent;
using postgres::Settlement;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Besides what PostgreSQL tells: what is tried again later, and what it could not tell.
constexpr seconds kLookEvery{1};
constexpr std::int64_t kMostAtOnce = 500;
constexpr seconds kAskAgainAfter{60};
constexpr std::int64_t kSweptAtOnce = 1000;
// To connect to the broker and to store what was taken over.
constexpr seconds kTakeOverTime{10};
// A lease that was renewed only a little late is left alone.
constexpr milliseconds kLapsedFor{1000};
constexpr milliseconds kSoon{1000};
constexpr milliseconds kLongestPause{30'000};

// After so many tries in vain.
milliseconds PauseAfter(std::int64_t pauses) {
  return std::min(kSoon * (std::int64_t{1} << std::clamp<std::int64_t>(pauses, 0, 5)),
                  kLongestPause);
}

Order OrderOf(const action::ActionId& id, const postgres::QueuedAction& queued,
              const std::string& dispatcher, base::SteadyTime give_up_at) {
  Order order{id, queued.directive, queued.payload, {}, queued.deadline, give_up_at, dispatcher};
  json::Parsed metadata = json::Parse(queued.metadata);
  if (metadata && metadata->is_object()) {
    order.metadata = metadata->get<std::map<std::string, std::string>>();
  }
  return order;
}

// Of a target that waits for the broker only, and whose device is not there: what is told of it
// must not hide that it may have been delivered.
std::string_view WhyNot(const postgres::WaitingTarget& target, std::string_view now_known) {
  return target.tries > 0 ? std::string_view(target.reason) : now_known;
}

void End(const postgres::WaitingTarget& target, std::string_view reason, Settlement& settlement) {
  settlement.action_id = target.action_id;
  settlement.event = TargetEvent::kUndeliverable;
  settlement.reason = WhyNot(target, reason);
  settlement.remove = true;
}

bool LacksPermit(const postgres::WaitingTarget& target) {
  return target.paced && !target.permitted;
}

// The others in the mailbox do not wait for it.
void HoldBack(const postgres::WaitingTarget& target, Settlement& settlement) {
  settlement.action_id = target.action_id;
  settlement.turn = Settlement::Turn::kHeldBack;
  settlement.reason = WhyNot(target, action::kHeldBack);
  settlement.remove = true;
}

// Nobody else has to wait until its device is there.
void GiveBack(const postgres::WaitingTarget& target, Settlement& settlement) {
  if (!target.permitted || target.tries > 0) return;
  settlement.action_id = target.action_id;
  settlement.turn = Settlement::Turn::kGivenBack;
}

}  // namespace

QueueWorker::QueueWorker(QueueWorkerParts parts, postgres::Config listener,
                         const base::Clock& clock, metrics::Registry& metrics)
    : parts_(std::move(parts)),
      clock_(clock),
      listener_(std::move(listener), "heliograph-api", postgres::kDispatchChannel),
      published_(metrics.AddCounter("heliograph_dispatch_queue_published_total",
                                    "Targets that waited in the database and were published.")),
      again_(metrics.AddCounter("heliograph_dispatch_published_again_total",
                                "Of those, targets that may have been published before: with the "
                                "same message_id.")),
      taken_over_(metrics.AddCounter("heliograph_dispatch_takeovers_total",
                                     "Processes that did not renew their lease and whose work "
                                     "this one has taken over.")),
      released_(metrics.AddCounter("heliograph_dispatch_rollout_released_total",
                                   "Targets that were held back and that this process let go.")),
      aborted_(metrics.AddCounter("heliograph_dispatch_rollouts_aborted_total",
                                  "Actions whose rest this process cancelled because too many "
                                  "targets had failed.")) {
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

QueueWorker::~QueueWorker() {
  thread_.request_stop();
  wakeup_.Notify();
}

void QueueWorker::Run(const std::stop_token& stop) {
  base::NameThisThread("queue");
  while (!stop.stop_requested()) {
    if (!Turn()) {
      listener_.Wait(wakeup_, std::min(clock_.SteadyNow() + kLookEvery, release_at_));
    }
  }
  SettleAll();
}

// Whether there may be more to do at once.
bool QueueWorker::Turn() {
  if (!SettleAll() || !parts_.publisher.connected()) {
    release_at_ = clock_.SteadyNow() + kLookEvery;
    return false;
  }
  if (clock_.SteadyNow() >= look_at_) {
    look_at_ = clock_.SteadyNow() + kLookEvery;
    LookAfter();
  }
  if (clock_.SteadyNow() >= release_at_) ReleaseDue();
  return PublishDue();
}

// Only where it can be published, too.
void QueueWorker::ReleaseDue() {
  release_at_ = clock_.SteadyNow() + kLookEvery;
  if (parts_.lease.holder().empty()) return;
  const auto released = parts_.rollouts.ReleaseDue();
  if (!released) {
    log_.Warn(database_line_, "rollouts cannot be looked at", {{"why", released.error().message}});
    return;
  }
  release_at_ = clock_.SteadyNow() + released->next_look;
  released_.Add(static_cast<double>(released->targets));
  for (const action::ActionId& id : released->aborted) {
    aborted_.Add();
    log_.Warn("cancelled the rest of an action: too many targets had failed",
              {{"action_id", id.view()}});
  }
}

void QueueWorker::LookAfter() {
  const auto asked_at = clock_.SteadyNow();
  const bool long_ago = asked_at - looked_at_ > 3 * kLookEvery;
  auto swept = parts_.queue.Sweep(swept_to_, kSweptAtOnce);
  looked_at_ = clock_.SteadyNow();
  if (!swept) {
    reachable_since_.reset();
    log_.Warn(database_line_, "what waits cannot be looked at", {{"why", swept.error().message}});
    return;
  }
  swept_to_ = *std::move(swept);
  // After an outage of the database, noticed or not, nobody's lease is fresh: they renew them
  // first.
  if (!reachable_since_ || long_ago || looked_at_ - asked_at > kLookEvery) {
    reachable_since_ = looked_at_;
  }
  if (looked_at_ - *reachable_since_ >= kGrace) TakeOver();
}

void QueueWorker::TakeOver() {
  while (true) {
    const auto lapsed = parts_.queue.TakeLapsed(parts_.lease.holder(), kLapsedFor, kTakeOverTime);
    if (!lapsed || !*lapsed) return;
    base::Status done = parts_.close_connection(**lapsed);
    if (done) done = parts_.queue.Release(**lapsed);
    if (!done) {
      log_.Warn(takeover_line_, "another process's work cannot be taken over yet",
                {{"client_id", **lapsed}, {"why", done.error().message}});
      return;
    }
    taken_over_.Add();
    log_.Warn("took over the work of a process that does not renew its lease",
              {{"client_id", **lapsed}});
  }
}

bool QueueWorker::SettleAll() {
  if (unsettled_.empty()) return true;
  const base::Status settled = parts_.queue.Settle(unsettled_for_, unsettled_);
  if (!settled) {
    log_.Error(database_line_, "what was published from the queue cannot be stored",
               {{"targets", unsettled_.size()}, {"why", settled.error().message}});
    if (base::IsRetriable(settled.error().code)) return false;
    // What the database does not take is claimed, and published, anew: not at once.
    claim_at_ = clock_.SteadyNow() + kLongestPause;
  }
  unsettled_.clear();
  return settled.has_value();
}

bool QueueWorker::PublishDue() {
  const std::string owner = parts_.lease.holder();
  if (owner.empty() || clock_.SteadyNow() < claim_at_) return false;
  const auto asked_at = clock_.SteadyNow();
  const auto claimed = parts_.queue.Claim(owner, kMostAtOnce);
  if (!claimed) {
    log_.Warn(database_line_, "what waits cannot be looked at", {{"why", claimed.error().message}});
    return false;
  }
  if (claimed->mail.empty()) return false;
  unsettled_for_ = owner;
  unsettled_ = Deliver(*claimed, owner, asked_at);
  return SettleAll();
}

std::vector<std::size_t> QueueWorker::Choose(const postgres::Claimed& claimed,
                                             std::vector<Settlement>& settlements) {
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < claimed.mail.size(); ++i) {
    const postgres::Mail& mail = claimed.mail[i];
    Settlement& settlement = settlements[i];
    settlement.client_id = mail.client_id;
    settlement.arrivals = mail.arrivals;
    if (!mail.first) continue;
    if (!mail.first->open) {
      settlement.action_id = mail.first->action_id;
      settlement.remove = true;
    } else if (mail.first->paused || (mail.reachable && LacksPermit(*mail.first))) {
      HoldBack(*mail.first, settlement);
    } else if (!mail.reachable && !mail.first->may_wait) {
      End(*mail.first, action::kNotOnline, settlement);
    } else if (!mail.reachable) {
      settlement.next = Settlement::Next::kWhenOnline;
      GiveBack(*mail.first, settlement);
      if (settlement.action_id) settlement.reason = action::kNotOnline;
    } else if (claimed.actions.contains(mail.first->action_id)) {
      chosen.push_back(i);
    }
  }
  return chosen;
}

// What waited for long may be forbidden by now.
std::vector<std::size_t> QueueWorker::Permitted(const postgres::Claimed& claimed,
                                                const std::vector<std::size_t>& chosen,
                                                std::vector<Settlement>& settlements) {
  std::map<action::ActionId, std::vector<std::size_t>> by_action;
  for (const std::size_t i : chosen) by_action[claimed.mail[i].first->action_id].push_back(i);
  std::vector<std::size_t> permitted;
  for (const auto& [id, indices] : by_action) {
    const postgres::QueuedAction& queued = claimed.actions.at(id);
    std::vector<device::ClientId> client_ids;
    for (const std::size_t i : indices) client_ids.push_back(claimed.mail[i].client_id);
    base::Result<std::vector<device::ClientId>> forbidden = std::vector<device::ClientId>();
    if (queued.age > kAskAgainAfter) forbidden = parts_.forbidden(queued, client_ids);
    for (const std::size_t i : indices) {
      Settlement& settlement = settlements[i];
      if (!forbidden) {
        settlement.next = Settlement::Next::kLater;
        settlement.later = kSoon;
      } else if (std::find(forbidden->begin(), forbidden->end(), claimed.mail[i].client_id) !=
                 forbidden->end()) {
        settlement.action_id = id;
        settlement.event = TargetEvent::kUnauthorised;
        settlement.reason = action::kNotPermitted;
        settlement.remove = true;
      } else {
        permitted.push_back(i);
      }
    }
  }
  return permitted;
}

std::vector<Settlement> QueueWorker::Deliver(const postgres::Claimed& claimed,
                                             const std::string& owner, base::SteadyTime asked_at) {
  std::vector<Settlement> settlements(claimed.mail.size());
  const std::vector<std::size_t> chosen =
      Permitted(claimed, Choose(claimed, settlements), settlements);
  if (chosen.empty()) return settlements;
  std::map<action::ActionId, Order> orders;
  std::vector<Publisher::Delivery> deliveries;
  for (const std::size_t i : chosen) {
    const postgres::WaitingTarget& target = *claimed.mail[i].first;
    auto order = orders.find(target.action_id);
    if (order == orders.end()) {
      order = orders
                  .emplace(target.action_id,
                           OrderOf(target.action_id, claimed.actions.at(target.action_id), owner,
                                   asked_at + target.left))
                  .first;
    }
    deliveries.push_back({&order->second, &claimed.mail[i].client_id});
  }
  const std::vector<Fate> fates = parts_.publisher.Publish(deliveries);
  for (std::size_t i = 0; i < fates.size(); ++i) {
    Conclude(claimed.mail[chosen[i]], fates[i], settlements[chosen[i]]);
  }
  return settlements;
}

void QueueWorker::Conclude(const postgres::Mail& mail, const Fate& fate, Settlement& settlement) {
  const postgres::WaitingTarget& target = *mail.first;
  if (fate.reason == action::kNotSent) {
    settlement.next = Settlement::Next::kLater;
    settlement.later = kSoon;
    return;
  }
  const bool unheard = fate.reason == action::kNoMatchingSubscribers;
  if (unheard && !target.may_wait) return End(target, fate.reason, settlement);
  settlement.action_id = target.action_id;
  settlement.reason = unheard ? WhyNot(target, fate.reason) : fate.reason;
  if (unheard) GiveBack(target, settlement);
  if (unheard || fate.event == TargetEvent::kQueued) {
    settlement.tried = !unheard;
    settlement.next = Settlement::Next::kLater;
    settlement.later = PauseAfter(target.pauses);
    return;
  }
  settlement.event = fate.event;
  settlement.remove = true;
  if (fate.event != TargetEvent::kPublished) return;
  published_.Add();
  if (target.tries > 0) again_.Add();
}

}  // namespace heliograph::dispatch
