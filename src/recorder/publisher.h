// Sends records to Kafka and keeps each until Kafka has confirmed it, also when the producer has to
// be replaced.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/wakeup.h"
#include "kafka/config.h"
#include "kafka/producer.h"
#include "log/log.h"

namespace heliograph::recorder {

// Counts what of a group of messages Kafka has not confirmed.
struct Ticket {
  std::size_t open = 0;
};

struct Message {
  std::string topic;
  std::string_view key;  // both live as long as `content`
  std::string_view payload;
  std::vector<std::pair<std::string, std::string>> headers;
  std::shared_ptr<const void> content;
  std::shared_ptr<Ticket> ticket;
};

// Messages of equal key and topic reach Kafka, each for the first time, in the order of Send.
// Threads: one thread.
class Publisher {
 public:
  Publisher(const kafka::ClusterConfig& cluster, const std::string& client_id,
            std::size_t max_message_bytes);

  // Keeps the order of Send also where this topic gets more partitions. `partitions` says how many
  // it has, 0 while that is not known; called on this thread, and must not block.
  void OrderAcrossPartitions(std::string topic, std::function<int()> partitions);

  void Send(Message message);
  // Hands over what the producer takes, and learns what was confirmed. Never blocks.
  void Pump();
  // Pumps until the ticket is closed or the time is over. True = closed.
  bool WaitFor(const Ticket& ticket, std::chrono::milliseconds limit);
  // Pumps until nothing is left or the time is over.
  void Drain(std::chrono::milliseconds limit);

  std::size_t open_messages() const { return messages_.size(); }
  std::size_t open_bytes() const { return bytes_; }
  // Why nothing gets through; "" when nothing speaks against it.
  std::string unreachable() const;

 private:
  struct Kept {
    Message message;
    bool done = false;
  };

  static std::size_t SizeOf(const Message& message);
  void OnDelivery(const kafka::Delivery& delivery);
  void Finish(Kept& kept);
  bool Choose(const std::string& topic);
  void HandOver();
  void ReplaceProducer();
  void ForgetFinished();

  const kafka::ClusterConfig cluster_;
  kafka::ProducerOptions options_;
  const log::Logger log_{"recorder"};
  base::Wakeup wakeup_;
  base::Backoff backoff_;
  base::SteadyTime replace_at_{};
  std::string refused_;        // what Kafka said of the last record, unless it took it
  bool must_replace_ = false;  // the producer has given a record up that must not be missing
  std::deque<Kept> messages_;
  std::uint64_t first_tag_ = 0;  // of messages_.front()
  std::size_t handed_over_ = 0;  // so many of messages_ were given to the producer
  std::size_t bytes_ = 0;
  std::string ordered_topic_;
  std::function<int()> partitions_now_;
  std::int32_t partitions_ = 0;                // that keys of ordered_topic_ are shared out among
  std::unique_ptr<kafka::Producer> producer_;  // last: its reports use the rest
};

}  // namespace heliograph::recorder
