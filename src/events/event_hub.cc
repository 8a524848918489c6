#include "events/event_hub.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <unordered_map>
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
// Of one look: for those who follow, and for those who are behind and take but little of it.
constexpr EventReader::Most kMostNews{1000, 4 * 1024 * 1024};
constexpr EventReader::Most kMostMissed{100, 512 * 1024};
// Then a stream gets nothing more until its client has taken it: less than the server lets wait.
constexpr std::size_t kMostWaiting = 64 * 1024;
constexpr milliseconds kRetry{2000};
// So often a stream is told how far it is, also where nothing was for it.
constexpr seconds kTellPlaceEvery{60};

// Only an id: no event for the client, but where it goes on if it has to come again.
http::StreamText PlaceText(const EventPlace& place) {
  return http::StreamText("id: " + WritePlace(place) + "\n\n");
}

http::StreamText ResetText(const EventPlace& place) {
  const std::string id = WritePlace(place);
  return http::FormatEvent({.id = id, .type = "reset", .data = "{}"});
}

http::StreamText TextOf(const Change& change) {
  const std::string id = WritePlace(change.place);
  const std::string data = WriteEvent(change);
  return http::FormatEvent({.id = id, .type = EventTypeName(change.type()), .data = data});
}

// Those among whom an event's readers are: a tenant's, and the operators'.
template <class One>
class BySight {
 public:
  void Add(One& one, const std::optional<device::TenantId>& sight) {
    (sight ? tenants_[sight->view()] : operators_).push_back(&one);
  }
  template <class Do>
  void ForEach(const std::optional<device::TenantId>& tenant, Do one) const {
    for (One* each : operators_) one(*each);
    if (!tenant) return;
    const auto at = tenants_.find(tenant->view());
    if (at == tenants_.end()) return;
    for (One* each : at->second) one(*each);
  }

 private:
  std::vector<One*> operators_;
  std::unordered_map<std::string_view, std::vector<One*>> tenants_;
};

}  // namespace

EventHub::EventHub(EventReader& reader, postgres::GroupStore& groups, metrics::Registry& metrics)
    : reader_(reader),
      groups_(groups),
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
    EventFilter filter, const std::optional<EventPlace>& after) {
  const auto bounds = reader_.Look();
  if (!bounds) return bounds.error();
  // A place that is not there yet is another database's.
  const bool reset = after && (*after < bounds->forgotten || *after > bounds->end);
  auto subscriber = std::make_shared<Subscriber>();
  subscriber->filter = std::move(filter);
  subscriber->place = after && !reset ? *after : bounds->end;
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
    subscriber->stream->Push(ResetText(subscriber->place));
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
  if (const base::Status looked = groups_.Refresh(steady_clock::now()); !looked) {
    log_.Warn(group_limit_, "who is in a group that streams listen to is not looked up again",
              {{"why", looked.error().message}});
  }
  const auto more_news = PushNews(subscribers);
  const auto more_missed = more_news ? CatchUp(subscribers) : more_news;
  if (!more_missed) {
    log_.Warn(failure_limit_, "streams of events wait for the database",
              {{"why", more_missed.error().message}});
    // Who knows for how long: whoever is behind is told what was forgotten meanwhile.
    for (const auto& one : subscribers) one->live = false;
    return kAgainAfter;
  }
  if (steady_clock::now() >= tell_places_at_) {
    TellPlaces(subscribers);
    tell_places_at_ = steady_clock::now() + kTellPlaceEvery;
  }
  return *more_news || *more_missed ? milliseconds(0) : kLookEvery;
}

base::Result<bool> EventHub::PushNews(const Subscribers& subscribers) {
  Subscribers live;
  std::ranges::copy_if(subscribers, std::back_inserter(live),
                       [](const auto& one) { return one->live; });
  if (live.empty()) {
    place_.reset();
    return false;
  }
  const auto page = reader_.Read(*place_, WantedOf(live), kMostNews);
  if (!page) return page.error();
  Deliver(*page, live);
  place_ = page->up_to;
  return page->more;
}

Wanted EventHub::WantedOf(std::span<const std::shared_ptr<Subscriber>> subscribers) {
  Wanted wanted;
  for (const auto& one : subscribers) wanted.Add(Wanted::Of(one->filter));
  return wanted;
}

// Where many come again at once, as after a restart, they stand close together: they share what is
// read, as those do who follow. Who has read to the end joins these: what they have read is before.
base::Result<bool> EventHub::CatchUp(const Subscribers& subscribers) {
  Subscribers behind;
  std::ranges::copy_if(subscribers, std::back_inserter(behind),
                       [](const auto& one) { return !one->live && one->has_room; });
  std::ranges::sort(behind, {}, [](const auto& one) { return one->place; });
  for (std::size_t first = 0; first < behind.size();) {
    const std::span rest = std::span(behind).subspan(first);
    const auto page = reader_.Read(rest.front()->place, WantedOf(rest), kMostMissed);
    if (!page) return page.error();
    const auto bounds = reader_.Look();
    if (!bounds) return bounds.error();
    Subscribers together;
    for (const auto& one : rest) {
      if (one->place > page->up_to) break;
      ++first;
      if (one->place < bounds->forgotten) {
        Reset(*one, bounds->end);
      } else {
        together.push_back(one);
      }
    }
    Deliver(*page, together);
  }
  return std::ranges::any_of(behind, [](const auto& one) { return !one->live && one->has_room; });
}

void EventHub::Reset(Subscriber& subscriber, const EventPlace& end) {
  resets_.Add();
  subscriber.place = end;
  subscriber.stream->Push(ResetText(end));
}

// To those who stand in the page.
void EventHub::Deliver(const Page& page, const Subscribers& subscribers) {
  BySight<Subscriber> readers;
  for (const auto& one : subscribers) readers.Add(*one, one->filter.sight);
  EventPlace before = page.after;
  for (const Change& change : page.changes) {
    http::StreamText text;
    readers.ForEach(change.tenant(), [&](Subscriber& one) {
      if (one.full || change.place <= one.place || !change.IsWantedBy(one.filter)) return;
      if (one.stream->waiting_bytes() > kMostWaiting) {
        // It goes on from here by itself, as fast as its client does.
        one.full = true;
        one.place = std::max(one.place, before);
        return;
      }
      if (text.text().empty()) text = TextOf(change);
      Push(one, text);
    });
    before = change.place;
  }
  for (const auto& one : subscribers) {
    if (one->full) {
      if (one->live) catch_ups_.Add();
      one->live = one->full = false;
      WaitForRoom(*one);
      continue;
    }
    one->place = std::max(one->place, page.up_to);
    if (one->live || page.more) continue;
    one->live = true;
    if (!place_) place_ = one->place;
  }
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
