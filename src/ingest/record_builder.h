// Turns an MQTT message into the record that goes to Kafka. The payload is not looked at.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "device/dead_letter.h"
#include "device/topic.h"
#include "ingest/config.h"
#include "kafka/producer.h"
#include "mqtt/client.h"

namespace heliograph::ingest {

// What a message is.
enum class MessageKind { kControl, kData, kCanary, kDeadLetter };

struct Classified {
  MessageKind kind = MessageKind::kDeadLetter;
  std::string_view client_id{};  // of a control or data message
  device::DeadLetterReason reason = device::DeadLetterReason::kBadTopic;  // of a dead letter
};

// Records are views into the message and into the builder: use one before the next is built.
// Threads: one thread.
class RecordBuilder {
 public:
  RecordBuilder(const Topics& topics, device::TopicGrammar grammar, std::size_t max_message_bytes);

  // For `ingest.received`; called once a pass of the loop, so that a time is not formatted for
  // every message.
  void SetTime(base::Timestamp now);
  // For `ingest.connection`; a new one at each MQTT connect.
  void SetConnection(std::string connection) { connection_ = std::move(connection); }

  // By how many partitions records of these topics are shared out from now on. Only while nothing
  // that was built before is unconfirmed: docs/decisions/0015.
  void SetPartitions(int control, int data);

  Classified Classify(std::string_view topic) const noexcept;
  // Precondition: a control or data message.
  kafka::Record Build(const mqtt::IncomingMessage& message, const Classified& classified);
  // The payload is cut to what Kafka takes.
  kafka::Record BuildDeadLetter(const mqtt::IncomingMessage& message,
                                device::DeadLetterReason reason, std::string_view client_id,
                                std::string_view detail);

 private:
  std::string control_topic_;
  std::string data_topic_;
  std::string dead_letter_topic_;
  device::TopicGrammar grammar_;
  std::size_t max_dead_letter_payload_;
  std::string canary_topic_;
  std::string received_;
  base::Timestamp received_at_{};
  std::string connection_;
  // What a topic's records are shared out among, and the same for `ingest.partitions`.
  struct Partitions {
    int count = 0;
    std::string text = "0";
  };
  Partitions control_partitions_;
  Partitions data_partitions_;
  std::array<kafka::Header, 6> headers_;
  std::array<kafka::Header, 8> dead_letter_headers_;
};

// Where the second connection publishes what must come back over the first.
std::string CanaryTopic(const device::TopicGrammar& grammar);

}  // namespace heliograph::ingest
