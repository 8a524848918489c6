#include "recorder/config.h"

namespace heliograph::recorder {
namespace {

constexpr std::int64_t kRoomForKeyAndHeaders = 64 * 1024;

void BindTopic(config::Binder& binder, std::string& value, std::string_view key,
               std::string_view help) {
  binder.String(value, key, help);
  const auto spec = kafka::ParseTopicSpec(value);
  binder.Require(spec.has_value(), spec ? "" : spec.error().message);
}

}  // namespace

void KafkaConfig::Bind(config::Binder& binder) {
  cluster.Bind(binder);
  binder.String(group_id, "group_id",
                "Consumer groups are this name with .control, .data and .dead-letter; replicas "
                "share it.");
  binder.String(
      group_instance_id, "group_instance_id",
      "This replica's fixed name in the groups, so that a restart moves no partition and waits for "
      "nobody; empty = the host's name. Two on one host need names of their own.");
  binder.Require(!group_id.empty(), "group_id must not be empty");
}

void TopicsConfig::Bind(config::Binder& binder) {
  BindTopic(binder, control, "control", "What devices say on control: name:partitions:replicas.");
  BindTopic(binder, data, "data", "What devices say on data: name:partitions:replicas.");
  BindTopic(binder, dead_letter, "dead_letter",
            "What cannot be processed: name:partitions:replicas.");
  BindTopic(binder, events, "events",
            "Who came on line, left or changed: name:partitions:replicas.");
  BindTopic(binder, results, "results", "Targets that ended: name:partitions:replicas.");
  BindTopic(binder, action_dead_letter, "action_dead_letter",
            "Targets that the device has neither done nor refused: name:partitions:replicas.");
}

void BatchConfig::Bind(config::Binder& binder) {
  using namespace std::chrono_literals;
  binder.Integer(max_records, "max_records", {1, 100'000},
                 "Records that are applied in one transaction, at most.");
  binder.Duration(max_wait, "max_wait_ms", {0ms, 1s}, "How long a first record waits for company.");
  binder.Integer(
      workers, "workers", {1, 64},
      "Threads that apply what devices say on control, each with partitions, a batch and "
      "a PostgreSQL session of its own; what is more than the partitions stands by.");
}

void Config::Bind(config::Binder& binder) {
  binder.Integer(max_packet_bytes, "max_packet_bytes", {1024, 256 * 1024 * 1024},
                 "The largest MQTT packet, as the broker and heliograph-ingest have it; Kafka's "
                 "limits follow from it.");
  binder.Section(kafka, "kafka", "Where Kafka is.");
  binder.Section(topics, "topics", "Topics; those that are missing are created.");
  binder.Section(postgres, "postgres", "Where the state is kept.");
  binder.Section(owners, "owners", "Who owns a device.");
  binder.Section(batch, "batch", "How much is applied at a time.");
  // One more for each of `data` and the dead letters, and one for whoever asks whether PostgreSQL
  // is there.
  binder.Require(batch.workers == 1 || batch.workers + 3 <= postgres.pool_size,
                 "postgres.pool_size must be at least batch.workers + 3");
}

std::size_t Config::max_message_bytes() const {
  return static_cast<std::size_t>(max_packet_bytes + kRoomForKeyAndHeaders);
}

}  // namespace heliograph::recorder
