#include "ingest/config.h"

#include "base/startup_error.h"
#include "device/topic.h"

namespace heliograph::ingest {
namespace {

using namespace std::chrono_literals;

// For key, headers and the batch's own bytes.
constexpr std::int64_t kRecordOverhead = 64 * 1024;

void BindTopic(config::Binder& binder, std::string& value, std::string_view key,
               std::string_view help) {
  binder.String(value, key, help);
  const auto spec = kafka::ParseTopicSpec(value);
  binder.Require(spec.has_value(), spec ? "" : spec.error().message);
}

kafka::TopicPlan Plan(const std::string& text, bool keep_for_ever, std::size_t max_message_bytes) {
  const auto spec = kafka::ParseTopicSpec(text);
  if (!spec) throw base::StartupError(spec.error().message);
  return {.spec = *spec, .keep_for_ever = keep_for_ever, .max_message_bytes = max_message_bytes};
}

}  // namespace

void MqttConfig::Bind(config::Binder& binder) {
  connection.Bind(binder);
  binder.String(client_id, "client_id",
                "Names the session at the broker, in which messages wait while ingest is away. "
                "Only one process may use it. "
                "Begins with @, which no device's may.");
  binder.Require(client_id.size() > 1 && client_id.front() == '@', "client_id must begin with @");
  binder.Duration(
      session_expiry, "session_expiry_s", {1min, std::chrono::hours(10 * 365 * 24)},
      "How long the broker keeps the session while ingest is away. The broker may cap it.");
  binder.Integer(receive_maximum, "receive_maximum", {1, 65535},
                 "Unacknowledged messages that the broker may send.");
  binder.Duration(
      takeover_backoff, "takeover_backoff_s", {1s, 1h},
      "The first wait after another ingest process has taken the session over again and again.");
}

void KafkaConfig::Bind(config::Binder& binder) {
  cluster.Bind(binder);
  binder.Duration(linger, "linger_ms", {0ms, 1s},
                  "How long a record waits for company: adds to the latency, saves work when there "
                  "is little to do.");
}

void TopicsConfig::Bind(config::Binder& binder) {
  BindTopic(binder, control, "control",
            "name:partitions:replicas of the topic for control messages; kept for ever.");
  BindTopic(binder, data, "data", "name:partitions:replicas of the topic for data messages.");
  BindTopic(binder, dead_letter, "dead_letter",
            "name:partitions:replicas of the topic for messages that cannot be processed.");
}

void WindowConfig::Bind(config::Binder& binder) {
  binder.Integer(max_messages, "max_messages", {1, 1'000'000},
                 "Messages after which reading stops until Kafka has confirmed them.");
  binder.Integer(
      max_bytes, "max_bytes", {1024, 1024 * 1024 * 1024},
      "Bytes after which reading stops until Kafka has confirmed them: what bounds the memory.");
  binder.Duration(
      max_age, "max_age_ms", {1ms, 10s},
      "Age after which reading stops until Kafka has confirmed everything. Records are on "
      "their way to Kafka from the beginning: this only delays the acknowledgement to the broker.");
  binder.Duration(
      gather, "gather_ms", {0ms, 10s},
      "How long acknowledgements are gathered when Kafka has confirmed everything; at most "
      "max_age_ms. Delays nothing but what would come again after a crash.");
  binder.Duration(
      rest, "rest_ms", {0ms, 1s},
      "How long reading rests after several messages came at once, where more than 15,000 come "
      "a second, so that the next come in company. Adds to the latency then; 0 = never.");
}

void ReceiptsConfig::Bind(config::Binder& binder) {
  binder.Integer(max_waiting, "max_waiting", {0, 40'000},
                 "Receipts that may wait, for Kafka's confirmation or for the broker to take them. "
                 "More are dropped and counted, and their devices send again. At least as many as "
                 "window.max_messages, or a full window cannot get all of its receipts. 0 = none "
                 "is sent.");
  binder.Integer(max_bytes, "max_bytes", {1024, 1024 * 1024 * 1024},
                 "Bytes that they may take together, Correlation Data included.");
}

void Config::Bind(config::Binder& binder) {
  binder.String(topic_prefix, "topic_prefix",
                "The beginning of all MQTT topics, one to eight levels.");
  const auto grammar = device::TopicGrammar::Create(topic_prefix);
  binder.Require(grammar.has_value(), grammar ? "" : grammar.error().message);
  binder.Integer(max_packet_bytes, "max_packet_bytes", {1024, 256 * 1024 * 1024},
                 "The largest MQTT packet, as the broker's max_packet_size. Kafka's and its "
                 "client's limits are this plus "
                 "64 KiB; what is larger all the same goes to the dead letters, cut.");
  binder.Section(mqtt, "mqtt", "The broker.");
  binder.Section(kafka, "kafka", "Kafka.");
  binder.Section(topics, "topics", "Kafka topics; created where they are missing, never changed.");
  binder.Section(window, "window",
                 "The acknowledgement window: messages that Kafka must have confirmed before the "
                 "broker may forget them.");
  binder.Require(window.max_age <= mqtt.connection.keepalive / 2,
                 "window.max_age_ms must not be longer than half of mqtt.keepalive_s: nothing is "
                 "written to the broker meanwhile");
  binder.Section(receipts, "receipts",
                 "Receipts: a device that asks is told when Kafka has its message.");
}

std::size_t Config::max_message_bytes() const {
  return static_cast<std::size_t>(max_packet_bytes + kRecordOverhead);
}

Topics PlanTopics(const Config& config) {
  const std::size_t bytes = config.max_message_bytes();
  return {.control = Plan(config.topics.control, true, bytes),
          .data = Plan(config.topics.data, false, bytes),
          .dead_letter = Plan(config.topics.dead_letter, false, bytes)};
}

}  // namespace heliograph::ingest
