// What could not be processed, kept in Kafka with its reason.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "metrics/metrics.h"
#include "recorder/publisher.h"
#include "recorder/record.h"

namespace heliograph::recorder {

// Threads: one thread.
class DeadLetters {
 public:
  // `source_topic`: where the records are from. A payload is cut to `longest` bytes.
  DeadLetters(Publisher& publisher, std::string dead_letter_topic, std::string source_topic,
              std::size_t longest, metrics::Registry& metrics);

  // Hands the refused of `records` to the publisher; the ticket closes when Kafka has confirmed
  // them all.
  std::shared_ptr<Ticket> Send(std::span<const Record> records, std::span<const Refusal> refused);

 private:
  metrics::Counter CounterOf(std::string_view reason) const;

  Publisher& publisher_;
  const std::string topic_;
  const std::string source_topic_;
  const std::size_t longest_;
  metrics::Registry& metrics_;
};

}  // namespace heliograph::recorder
