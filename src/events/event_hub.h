// Pushes what changes to the streams that want it: read once from the database, written once as
// text, whatever the number of streams. A stream that goes on where another one ended reads what it
// has missed from the database first.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "events/event_filter.h"
#include "http/event_stream.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "postgres/target_log.h"

namespace heliograph::events {

// Threads: its own, "events", which asks the database only while there are streams; Open from any.
// Outlives the server that sends the streams.
class EventHub {
 public:
  EventHub(postgres::TargetLog& target_log, metrics::Registry& metrics);
  ~EventHub();
  EventHub(const EventHub&) = delete;
  EventHub& operator=(const EventHub&) = delete;

  // A stream for a response. `after`: where an earlier one ended; nullopt = from now on. Where the
  // log does not reach back so far, its first event is `reset`. Errors as the database's.
  base::Result<std::shared_ptr<http::EventStream>> Open(
      EventFilter filter, const std::optional<postgres::TargetLogPlace>& after);

 private:
  struct Subscriber {
    EventFilter filter;
    std::shared_ptr<http::EventStream> stream;
    // What is up to here was pushed, or is not wanted. The thread's own.
    postgres::TargetLogPlace place;
    bool live = false;  // else it reads for itself; the thread's own
    std::atomic<bool> has_room = true;
  };
  using Subscribers = std::vector<std::shared_ptr<Subscriber>>;

  void Run(const std::stop_token& stop);
  // How long to wait until the next one.
  std::chrono::milliseconds Turn();
  // Whether there may be more to do at once.
  base::Result<bool> PushNews(const Subscribers& subscribers);
  base::Result<bool> CatchUp(const Subscribers& subscribers);
  static void WaitForRoom(Subscriber& subscriber);
  void TellPlaces(const Subscribers& subscribers);
  void Push(Subscriber& subscriber, const http::StreamText& text);
  Subscribers Snapshot();
  void Remove(std::uint64_t id);

  postgres::TargetLog& target_log_;
  const log::Logger log_{"api"};
  log::RateLimit failure_limit_{std::chrono::seconds(10)};
  metrics::Counter pushed_;
  metrics::Counter resets_;
  metrics::Counter catch_ups_;
  std::optional<postgres::TargetLogPlace> place_;  // of the live ones; nullopt: there are none
  base::SteadyTime tell_places_at_{};
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::uint64_t, std::shared_ptr<Subscriber>> subscribers_;  // guarded by mutex_
  std::uint64_t last_id_ = 0;                                         // guarded by mutex_
  std::jthread thread_;  // last: it uses everything above
};

}  // namespace heliograph::events
