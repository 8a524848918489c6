// What ingest counts. Names begin with heliograph_ingest_.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>

#include "device/dead_letter.h"
#include "ingest/record_builder.h"
#include "ingest/window.h"
#include "metrics/metrics.h"

namespace heliograph::ingest {

// Why the messages of a window were asked for again.
enum class Redelivery { kKafkaRefused, kKafkaSilent, kConnectionLost, kStopped };

// Per message only plain numbers are counted; Publish hands them to the registry, once a pass of
// the loop. Threads: one thread.
class Instruments {
 public:
  explicit Instruments(metrics::Registry& registry);

  void CountMessage(MessageKind kind, std::size_t bytes);
  void CountExpiring() { ++new_expiring_; }
  void CountDeadLetter(device::DeadLetterReason reason);
  void Publish();

  // The broker's own count. Before it is known there is no such series: a 0 would say that all is
  // well.
  void SetBrokerDropped(std::int64_t messages);

  void WindowEnded(WindowEnd end, std::size_t messages, std::chrono::nanoseconds age);
  void Redelivered(Redelivery why);

  const metrics::Counter connects;
  const metrics::Counter connections_lost;
  const metrics::Counter sessions_begun;
  const metrics::Counter sessions_lost;
  const metrics::Counter takeovers;
  const metrics::Counter producers_replaced;
  const metrics::Gauge connected;
  const metrics::Gauge unconfirmed_records;
  const metrics::Gauge held_messages;
  const metrics::Gauge receipts_waiting;
  const metrics::Gauge broker_heartbeat_age;

 private:
  struct Flow {
    Flow(metrics::Registry& registry, const char* channel);
    metrics::Counter messages;
    metrics::Counter bytes;
    std::size_t new_messages = 0;
    std::size_t new_bytes = 0;
  };
  Flow control_;
  Flow data_;
  metrics::Counter expiring_;
  std::size_t new_expiring_ = 0;
  metrics::Registry& registry_;
  std::map<WindowEnd, metrics::Counter> windows_;
  std::map<Redelivery, metrics::Counter> redeliveries_;
  std::map<device::DeadLetterReason, metrics::Counter> dead_letters_;
  metrics::Histogram window_seconds_;
  metrics::Histogram window_messages_;
};

}  // namespace heliograph::ingest
