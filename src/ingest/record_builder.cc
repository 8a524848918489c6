#include "ingest/record_builder.h"

#include <algorithm>

#include "base/rfc3339.h"

namespace heliograph::ingest {
namespace {

constexpr std::string_view kCanaryClient = "@ingest";

// An MQTT topic may have 65,535 bytes; the overhead that a record is allowed is 64 KiB for
// everything.
constexpr std::size_t kLongestSource = 4096;
constexpr std::size_t kDeadLetterOverhead = 16 * 1024;

std::string_view QosText(int qos) {
  switch (qos) {
    case 0:
      return "0";
    case 1:
      return "1";
    default:
      return "2";
  }
}

}  // namespace

std::string CanaryTopic(const device::TopicGrammar& grammar) {
  return grammar.Write(kCanaryClient, device::Channel::kControl, device::Direction::kOut);
}

RecordBuilder::RecordBuilder(const Topics& topics, device::TopicGrammar grammar,
                             std::size_t max_message_bytes)
    : control_topic_(topics.control.spec.name),
      data_topic_(topics.data.spec.name),
      dead_letter_topic_(topics.dead_letter.spec.name),
      grammar_(std::move(grammar)),
      max_dead_letter_payload_(max_message_bytes -
                               std::min(max_message_bytes, kDeadLetterOverhead)),
      canary_topic_(CanaryTopic(grammar_)) {
  SetTime(base::Timestamp{});
}

void RecordBuilder::SetTime(base::Timestamp now) {
  if (now == received_at_ && !received_.empty()) return;
  received_at_ = now;
  received_ = base::FormatRfc3339(now);
}

void RecordBuilder::SetPartitions(int control, int data) {
  if (control != control_partitions_.count)
    control_partitions_ = {control, std::to_string(control)};
  if (data != data_partitions_.count) data_partitions_ = {data, std::to_string(data)};
}

Classified RecordBuilder::Classify(std::string_view topic) const noexcept {
  const device::TopicGrammar::Parsed parsed = grammar_.Parse(topic);
  if (!parsed.topic) {
    const bool id = parsed.fault == device::TopicFault::kBadClientId;
    return {.reason =
                id ? device::DeadLetterReason::kBadClientId : device::DeadLetterReason::kBadTopic};
  }
  if (parsed.topic->direction != device::Direction::kOut) return {};
  if (!parsed.topic->client_id.starts_with('@')) {
    const bool control = parsed.topic->channel == device::Channel::kControl;
    return {.kind = control ? MessageKind::kControl : MessageKind::kData,
            .client_id = parsed.topic->client_id};
  }
  if (topic == canary_topic_) return {.kind = MessageKind::kCanary};
  return {.reason = device::DeadLetterReason::kBadClientId};
}

kafka::Record RecordBuilder::Build(const mqtt::IncomingMessage& message,
                                   const Classified& classified) {
  const bool is_control = classified.kind == MessageKind::kControl;
  const Partitions& partitions = is_control ? control_partitions_ : data_partitions_;
  headers_ = {{{"mqtt.topic", message.topic},
               {"mqtt.qos", QosText(message.qos)},
               {"mqtt.retain", message.retain ? "1" : "0"},
               {"ingest.received", received_},
               {"ingest.connection", connection_},
               {"ingest.partitions", partitions.text}}};
  return {.topic = is_control ? control_topic_ : data_topic_,
          .key = classified.client_id,
          .payload = message.payload,
          .headers = headers_,
          .partitions = partitions.count};
}

kafka::Record RecordBuilder::BuildDeadLetter(const mqtt::IncomingMessage& message,
                                             device::DeadLetterReason reason,
                                             std::string_view client_id, std::string_view detail) {
  const std::string_view source = message.topic.substr(0, kLongestSource);
  dead_letter_headers_ = {{{"reason", device::DeadLetterReasonName(reason)},
                           {"detail", detail},
                           {"source", source},
                           {"mqtt.topic", source},
                           {"mqtt.qos", QosText(message.qos)},
                           {"mqtt.retain", message.retain ? "1" : "0"},
                           {"ingest.received", received_},
                           {"ingest.connection", connection_}}};
  return {.topic = dead_letter_topic_,
          .key = client_id,
          .payload = message.payload.substr(0, max_dead_letter_payload_),
          .headers = dead_letter_headers_};
}

}  // namespace heliograph::ingest
