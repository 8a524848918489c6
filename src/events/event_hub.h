// Pushes what changes to the streams that want it: read once from the database, written once as
// text, whatever the number of streams. A stream that goes on where another one ended gets what it
// has missed first, read together with all others that stand there.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "events/event_reader.h"
#include "events/group_members.h"
#include "http/event_stream.h"
#include "log/log.h"
#include "metrics/metrics.h"

namespace heliograph::events {

// Threads: its own, "events", which asks the database only while there are streams; Open from any.
// Outlives the server that sends the streams.
class EventHub {
 public:
  // `reader` and `groups` outlive the hub.
  EventHub(EventReader& reader, postgres::GroupStore& groups, metrics::Registry& metrics);
  ~EventHub();
  EventHub(const EventHub&) = delete;
  EventHub& operator=(const EventHub&) = delete;

  // A stream for a response. `after`: where an earlier one ended; nullopt = from now on. Where the
  // logs do not reach back so far, its first event is `reset`. Errors as the database's.
  base::Result<std::shared_ptr<http::EventStream>> Open(EventFilter filter,
                                                        const std::optional<EventPlace>& after);

  // For filters.
  Groups& groups() { return groups_; }

 private:
  struct Subscriber {
    EventFilter filter;
    std::shared_ptr<http::EventStream> stream;
    // What is up to here was pushed, or is not wanted. The thread's own.
    EventPlace place;
    bool live = false;  // else it is behind; the thread's own
    bool full = false;  // it takes nothing more of the page at hand; the thread's own
    std::atomic<bool> has_room = true;
  };
  using Subscribers = std::vector<std::shared_ptr<Subscriber>>;

  void Run(const std::stop_token& stop);
  // How long to wait until the next one.
  std::chrono::milliseconds Turn();
  // Whether there may be more to do at once.
  base::Result<bool> PushNews(const Subscribers& subscribers);
  base::Result<bool> CatchUp(const Subscribers& subscribers);
  static Wanted WantedOf(std::span<const std::shared_ptr<Subscriber>> subscribers);
  void Reset(Subscriber& subscriber, const EventPlace& end);
  void Deliver(const Page& page, const Subscribers& subscribers);
  static void WaitForRoom(Subscriber& subscriber);
  void TellPlaces(const Subscribers& subscribers);
  void Push(Subscriber& subscriber, const http::StreamText& text);
  Subscribers Snapshot();
  void Remove(std::uint64_t id);

  EventReader& reader_;
  Groups groups_;
  const log::Logger log_{"api"};
  log::RateLimit failure_limit_{std::chrono::seconds(10)};
  log::RateLimit group_limit_{std::chrono::seconds(60)};
  metrics::Counter pushed_;
  metrics::Counter resets_;
  metrics::Counter catch_ups_;
  std::optional<EventPlace> place_;  // of the live ones; nullopt: there are none
  base::SteadyTime tell_places_at_{};
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::uint64_t, std::shared_ptr<Subscriber>> subscribers_;  // guarded by mutex_
  std::uint64_t last_id_ = 0;                                         // guarded by mutex_
  std::jthread thread_;  // last: it uses everything above
};

}  // namespace heliograph::events
