// One request's events: CloudEvents 1.0 in JSON, batched. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace heliograph::webhooks {

// Beyond it a request takes no further event; a single larger one goes alone.
inline constexpr std::size_t kMostBatchBytes = 256 * 1024;
inline constexpr std::string_view kBatchMediaType =
    "application/cloudevents-batch+json; charset=utf-8";

// Threads: one thread.
class Batch {
 public:
  explicit Batch(std::size_t most_events) : most_events_(most_events) {}

  // False: it is full, and the event is not in it. `text`: the event as JSON.
  bool Add(std::string_view id, base::Timestamp at, std::string_view text);

  bool empty() const { return events_ == 0; }
  std::int64_t events() const { return static_cast<std::int64_t>(events_); }
  base::Timestamp first_at() const { return first_at_; }
  // Of the message: the same for the same events of the same webhook. A-Z a-z 0-9 and _ only.
  std::string Id(std::int64_t webhook) const;
  std::string TakeBody() { return std::move(body_) + "]"; }

 private:
  std::size_t most_events_;
  std::size_t events_ = 0;
  std::string body_ = "[";
  std::string first_id_;
  std::string last_id_;
  base::Timestamp first_at_{};
};

// What is no change of a target: heliograph.ping, which a caller asked for, and heliograph.reset:
// events of after `after` were forgotten before they could be delivered, up to `up_to`.
std::string WritePing(std::string_view id, std::string_view webhook, base::Timestamp at);
std::string WriteReset(std::string_view id, std::string_view webhook, base::Timestamp at,
                       std::string_view after, std::string_view up_to);

}  // namespace heliograph::webhooks
