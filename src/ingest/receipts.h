// Receipts: a device that asks (MQTT 5 Response Topic and Correlation Data) is told when Kafka has
// its message. They are a courtesy that never holds anything up: one that cannot be sent is dropped
// and counted, and the device sends its message again.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "device/dead_letter.h"
#include "device/topic.h"
#include "ingest/config.h"
#include "kafka/producer.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "mqtt/session.h"

namespace heliograph::ingest {

// The limits of the configuration hold for those that wait for Kafka and those that wait for the
// broker together. Threads: one thread; the callbacks given to `publish` on any.
class Receipts {
 public:
  // As mqtt::Session::Publish. Must not block.
  using Publish = std::function<base::Status(mqtt::OutgoingMessage, mqtt::PublishCallback)>;
  // The tag of a record whose device waits for a receipt.
  using Ticket = std::uint64_t;
  static constexpr Ticket kNone = 0;

  // Must outlive everything that `publish` was given.
  Receipts(const ReceiptsConfig& config, const device::TopicGrammar& grammar,
           const base::Clock& clock, metrics::Registry& registry, Publish publish);

  // For a message with a Response Topic. kNone: there will be no receipt; why is counted. Otherwise
  // end it with Reported or Withdraw.
  Ticket Ask(const mqtt::IncomingMessage& message, std::string_view publisher);
  // The message goes to the dead letters.
  void MarkDeadLetter(Ticket ticket, device::DeadLetterReason reason);
  // No record was made of it.
  void Withdraw(Ticket ticket);
  // Kafka's word. Sends the receipt, where the record was delivered. Precondition: the tag is a
  // ticket.
  void Reported(const kafka::Delivery& delivery);
  // Nobody will report on what waits for Kafka.
  void Abandon();

  // Asked for, and neither sent nor dropped yet.
  std::size_t waiting() const { return waiting_.load(std::memory_order_relaxed); }

 private:
  struct Asker {
    std::string client_id;
    std::string correlation_data;
    std::optional<device::DeadLetterReason> dead_letter;
  };

  static std::size_t SizeOf(const Asker& asker);
  Asker Take(Ticket ticket);
  bool Reserve(std::size_t bytes);
  void Release(std::size_t bytes);
  void Done(mqtt::PublishOutcome outcome, int reason);

  const std::size_t max_waiting_;
  const std::size_t max_bytes_;
  const device::TopicGrammar grammar_;
  const base::Clock& clock_;
  const Publish publish_;
  const log::Logger logger_{"ingest"};
  log::RateLimit foreign_limit_{std::chrono::seconds(10)};
  log::RateLimit full_limit_{std::chrono::seconds(10)};
  log::RateLimit refused_limit_{std::chrono::minutes(1)};
  const metrics::Counter sent_;
  const metrics::Counter foreign_;
  const metrics::Counter full_;
  const metrics::Counter no_connection_;
  const metrics::Counter nobody_;
  const metrics::Counter refused_;

  std::vector<Asker> askers_;        // by ticket - 1
  std::vector<std::size_t> unused_;  // places in askers_
  std::atomic<std::size_t> waiting_{0};
  std::atomic<std::size_t> bytes_{0};
};

}  // namespace heliograph::ingest
