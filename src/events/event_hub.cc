#include "events/event_hub.h"

#include <algorithm>
#include <utility>

#include "base/thread_name.h"
#include "http/event.h"

namespace heliograph::events {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr milliseconds kLookEvery{50};
constexpr milliseconds kAgainAfter{500};
constexpr std::int64_t kMostNews = 1000;   // of one look
constexpr std::int64_t kMostMissed = 100;  // that a stream reads for itself at a time
// Then a stream gets nothing more until its client has taken it: less than the server lets wait.
constexpr std::size_t kMostWaiting = 64 * 1024;
constexpr milliseconds kRetry{2000};
// So often a stream is told how far it is, also where nothing was for it.
constexpr seconds kTellPlaceEvery{60};

// Only an id: no event for the client, but where it goes on if it has to come again.
http::StreamText PlaceText(const postgres::TargetLogPlace& place) {
  return http::StreamText("id: " + WritePlace(place) + "\n\n");
}

http::StreamText TextOf(const postgres::TargetChange& change) {
  const std::string id = WritePlace(change.place);
  const std::string data = WriteChangeEvent(change);
  return http::FormatEvent({.id = id, .type = EventTypeName(TypeOf(change)), .data = data});
}

}  // namespace

EventHub::EventHub(postgres::TargetLog& target_log, metrics::Registry& metrics)
    : target_log_(target_log),
      pushed_(metrics.AddCounter("heliograph_api_events_total",
                                 "Events that were pushed to streams, once for each stream.")),
      resets_(metrics.AddCounter(
          "heliograph_api_event_resets_total",
          "Streams that wanted to go on where the database does not reach back.")),
      catch_ups_(metrics.AddCounter(
          "heliograph_api_event_catch_ups_total",
          "How often a stream fell behind what happens, and went on at its client's pace.")) {
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

EventHub::~EventHub() = default;

base::Result<std::shared_ptr<http::EventStream>> EventHub::Open(
    EventFilter filter, const std::optional<postgres::TargetLogPlace>& after) {
  auto end = target_log_.End();
  if (!end) return std::move(end).error();
  const auto forgotten = after ? target_log_.Forgotten() : postgres::TargetLogPlace();
  if (!forgotten) return forgotten.error();
  // A place that is not there yet is another database's.
  const bool reset = after && (*after < *forgotten || *after > *end);
  auto subscriber = std::make_shared<Subscriber>();
  subscriber->filter = std::move(filter);
  subscriber->place = after && !reset ? *after : *end;
  std::uint64_t id = 0;
  {
    const std::lock_guard lock(mutex_);
    id = ++last_id_;
  }
  const std::weak_ptr<Subscriber> weak = subscriber;
  subscriber->stream = std::make_shared<http::EventStream>(http::StreamCallbacks{
      .on_end = [this, id](http::StreamEnd) { Remove(id); },
      .on_drained =
          [this, weak] {
            if (const auto one = weak.lock(); one && !one->has_room.exchange(true)) {
              changed_.notify_one();
            }
          }});
  subscriber->stream->Push(http::FormatRetry(kRetry));
  if (reset) {
    resets_.Add();
    const std::string place = WritePlace(subscriber->place);
    subscriber->stream->Push(http::FormatEvent({.id = place, .type = "reset", .data = "{}"}));
  } else {
    subscriber->stream->Push(PlaceText(subscriber->place));
  }
  auto stream = subscriber->stream;
  {
    const std::lock_guard lock(mutex_);
    subscribers_.emplace(id, std::move(subscriber));
  }
  changed_.notify_one();
  return stream;
}

void EventHub::Remove(std::uint64_t id) {
  std::shared_ptr<Subscriber> gone;  // dies outside of the lock
  const std::lock_guard lock(mutex_);
  if (const auto at = subscribers_.find(id); at != subscribers_.end()) {
    gone = std::move(at->second);
    subscribers_.erase(at);
  }
}

EventHub::Subscribers EventHub::Snapshot() {
  const std::lock_guard lock(mutex_);
  Subscribers all;
  all.reserve(subscribers_.size());
  for (const auto& [id, subscriber] : subscribers_) all.push_back(subscriber);
  return all;
}

void EventHub::Run(const std::stop_token& stop) {
  base::NameThisThread("events");
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, stop, [this] { return !subscribers_.empty(); });
    }
    if (stop.stop_requested()) return;
    const milliseconds pause = Turn();
    if (pause.count() == 0) continue;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, pause, [] { return false; });
  }
}

milliseconds EventHub::Turn() {
  const Subscribers subscribers = Snapshot();
  const auto more_news = PushNews(subscribers);
  const auto more_missed = more_news ? CatchUp(subscribers) : more_news;
  if (!more_missed) {
    log_.Warn(failure_limit_, "streams of events wait for the database",
              {{"why", more_missed.error().message}});
    return kAgainAfter;
  }
  if (steady_clock::now() >= tell_places_at_) {
    TellPlaces(subscribers);
    tell_places_at_ = steady_clock::now() + kTellPlaceEvery;
  }
  return *more_news || *more_missed ? milliseconds(0) : kLookEvery;
}

base::Result<bool> EventHub::PushNews(const Subscribers& subscribers) {
  const auto is_live = [](const auto& one) { return one->live; };
  if (std::none_of(subscribers.begin(), subscribers.end(), is_live)) {
    place_.reset();
    return false;
  }
  const auto changes = target_log_.Read(*place_, kMostNews);
  if (!changes) return changes.error();
  for (const postgres::TargetChange& change : *changes) {
    http::StreamText text;
    for (const auto& one : subscribers) {
      if (!one->live || change.place <= one->place || !one->filter.Wants(change)) continue;
      if (one->stream->waiting_bytes() > kMostWaiting) {
        // It goes on from here by itself, as fast as its client does.
        catch_ups_.Add();
        one->live = false;
        one->place = std::max(one->place, *place_);
        WaitForRoom(*one);
        continue;
      }
      if (text.text().empty()) text = TextOf(change);
      Push(*one, text);
    }
    place_ = change.place;
  }
  return std::cmp_equal(changes->size(), kMostNews);
}

// Each reads a part for itself when its client has taken the one before. Who has read to the end
// joins the live ones: there is nothing between his place and theirs.
base::Result<bool> EventHub::CatchUp(const Subscribers& subscribers) {
  bool more = false;
  for (const auto& one : subscribers) {
    if (one->live || !one->has_room) continue;
    const auto missed = target_log_.Read(one->place, kMostMissed);
    if (!missed) return missed.error();
    bool all = true;
    for (const postgres::TargetChange& change : *missed) {
      all = one->stream->waiting_bytes() <= kMostWaiting;
      if (!all) break;
      if (one->filter.Wants(change)) Push(*one, TextOf(change));
      one->place = change.place;
    }
    if (all && std::cmp_less(missed->size(), kMostMissed)) {
      one->live = true;
      if (!place_) place_ = one->place;
      one->place = std::max(one->place, *place_);
    } else {
      WaitForRoom(*one);
      more = more || one->has_room;
    }
  }
  return more;
}

void EventHub::WaitForRoom(Subscriber& subscriber) {
  subscriber.has_room = false;
  // Whoever takes the last of it from now on says so.
  if (subscriber.stream->waiting_bytes() == 0) subscriber.has_room = true;
}

void EventHub::TellPlaces(const Subscribers& subscribers) {
  if (!place_) return;
  const http::StreamText text = PlaceText(*place_);
  for (const auto& one : subscribers) {
    if (one->live && one->place <= *place_) one->stream->Push(text);
  }
}

void EventHub::Push(Subscriber& subscriber, const http::StreamText& text) {
  if (subscriber.stream->Push(text)) pushed_.Add();
}

}  // namespace heliograph::events
