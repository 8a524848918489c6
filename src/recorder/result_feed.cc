#include "recorder/result_feed.h"

#include <utility>

#include "base/pause.h"
#include "base/uuid.h"
#include "recorder/result_event.h"

namespace heliograph::recorder {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr seconds kLease{10};
constexpr seconds kWaitForSession{2};
// While this one is responsible, and while another one is.
constexpr milliseconds kLookEvery{50};
constexpr milliseconds kStandBy{1000};
constexpr milliseconds kAgainAfter{500};
constexpr milliseconds kNoteEvery{2000};
constexpr std::size_t kMostOpen = 100'000;  // then they are looked for anew

}  // namespace

ResultFeed::ResultFeed(ResultFeedOptions options, postgres::Pool& pool, Publisher& publisher,
                       metrics::Registry& metrics)
    : options_(std::move(options)),
      owner_(options_.name + "-" + base::NewUuid().substr(0, 8)),
      target_log_(pool, kWaitForSession),
      publisher_(publisher),
      results_(metrics.AddCounter("heliograph_recorder_action_results_total",
                                  "Targets that ended and that Kafka was told of, also again.")),
      dead_letters_(metrics.AddCounter(
          "heliograph_recorder_action_dead_letters_total",
          "Those of them that the device has neither done nor refused, also again.")),
      behind_(metrics.AddGauge("heliograph_recorder_action_results_behind_seconds",
                               "How long ago the last target that Kafka was told of had ended "
                               "then; 0 once nothing is left.")) {}

void ResultFeed::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) base::Pause(stop, Turn(stop));
  if (!noted_) return;
  (void)Note();
  (void)target_log_.Release(owner_);
}

milliseconds ResultFeed::Turn(const std::stop_token& stop) {
  publisher_.Pump();
  const auto ours = Claim();
  if (!ours) return Fail(ours.error());
  if (!*ours) {
    Keep("");
    behind_.Set(0);
    return kStandBy;
  }
  const auto ended = target_log_.ReadEnded(told_);
  if (!ended) return Fail(ended.error());
  if (const base::Status told = Tell(*ended, stop); !told) return Fail(told.error());
  Keep("");
  if (!ended->more) behind_.Set(0);
  return ended->more ? milliseconds(0) : kLookEvery;
}

base::Result<bool> ResultFeed::Claim() {
  if (noted_) return true;
  const auto place = target_log_.Claim(owner_, kLease);
  if (!place) return place.error();
  if (!*place) return false;
  noted_ = told_ = **place;
  open_.clear();
  note_at_ = steady_clock::now() + kNoteEvery;
  log_.Info("this process tells Kafka what becomes of actions");
  return true;
}

// Once Kafka has it, a restart must not tell it again without need; where there was nothing to tell
// the place need not be noted each time.
base::Status ResultFeed::Tell(const postgres::EndedTargets& ended, const std::stop_token& stop) {
  const auto ticket = std::make_shared<Ticket>();
  for (const postgres::EndedTarget& one : ended.targets) Send(one, ticket);
  while (!publisher_.WaitFor(*ticket, kAgainAfter)) {
    if (stop.stop_requested()) return {};
    if (const std::string why = publisher_.unreachable(); !why.empty()) Keep(why);
    if (steady_clock::now() < note_at_) continue;
    if (base::Status noted = Note(); !noted) return noted;
    if (!noted_) return {};
  }
  if (base::Status noted = EndActions(ended); !noted) return noted;
  told_ = ended.up_to;
  if (ended.targets.empty() && steady_clock::now() < note_at_) return {};
  return Note();
}

// Each target of an action is looked at once, however many of them end at different times: the next
// look begins where the last one found somebody open.
base::Status ResultFeed::EndActions(const postgres::EndedTargets& ended) {
  std::map<action::ActionId, device::ClientId> asked;
  for (const postgres::EndedTarget& one : ended.targets) {
    const auto open = open_.find(one.action.id);
    if (open == open_.end()) {
      asked.try_emplace(one.action.id);
    } else if (open->second == one.target.client_id) {
      asked.insert_or_assign(one.action.id, open->second);
    }
  }
  if (asked.empty()) return {};
  std::vector<postgres::OpenFrom> questions;
  for (const auto& [id, client_id] : asked) questions.push_back({id, client_id});
  const auto open = target_log_.FindOpen(questions);
  if (!open) return open.error();
  std::vector<action::ActionId> over;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    if ((*open)[i].empty()) over.push_back(questions[i].action_id);
  }
  if (base::Status noted = target_log_.EndActions(over); !noted) return noted;
  if (open_.size() > kMostOpen) open_.clear();
  for (std::size_t i = 0; i < questions.size(); ++i) {
    if ((*open)[i].empty()) {
      open_.erase(questions[i].action_id);
    } else {
      open_.insert_or_assign(questions[i].action_id, (*open)[i]);
    }
  }
  return {};
}

void ResultFeed::Send(const postgres::EndedTarget& ended, const std::shared_ptr<Ticket>& ticket) {
  const auto send = [&](const std::string& topic, std::string event) {
    const auto content = std::make_shared<const std::pair<std::string, std::string>>(
        ended.action.id.str(), std::move(event));
    publisher_.Send({topic, content->first, content->second, {}, content, ticket});
  };
  send(options_.results_topic, WriteResultEvent(ended.action, ended.target));
  results_.Add();
  behind_.Set(
      std::chrono::duration<double>(std::chrono::system_clock::now() - ended.target.updated_at)
          .count());
  if (!IsDeadLetter(ended.target.status)) return;
  send(options_.dead_letter_topic, WriteDeadLetterEvent(ended.action, ended.target));
  dead_letters_.Add();
}

base::Status ResultFeed::Note() {
  const auto noted = target_log_.Advance(owner_, *noted_, told_, kLease);
  if (!noted) return noted.error();
  note_at_ = steady_clock::now() + kNoteEvery;
  if (*noted) {
    noted_ = told_;
  } else {
    log_.Warn("another process tells Kafka what becomes of actions by now");
    noted_.reset();
    open_.clear();
  }
  return {};
}

milliseconds ResultFeed::Fail(const base::Error& error) {
  Keep(error.message);
  if (!base::IsRetriable(error.code)) {
    log_.Error(failure_limit_, "Kafka is not told what became of actions, trying again",
               {{"why", error.message}});
  }
  return kAgainAfter;
}

void ResultFeed::Keep(std::string trouble) {
  const std::lock_guard lock(mutex_);
  trouble_ = std::move(trouble);
}

std::string ResultFeed::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

}  // namespace heliograph::recorder
