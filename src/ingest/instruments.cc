#include "ingest/instruments.h"

#include <string>
#include <utility>

namespace heliograph::ingest {
namespace {

const std::vector<double> kMessageBuckets = {1, 3, 10, 30, 100, 300, 1000, 3000, 10'000, 30'000};

metrics::Counter WindowCounter(metrics::Registry& registry, WindowEnd end) {
  return registry.AddCounter(
      "heliograph_ingest_windows_total",
      "Acknowledgement windows that were confirmed and acknowledged, by what ended reading.",
      {{"ended_by", std::string(WindowEndName(end))}});
}

metrics::Counter RedeliveryCounter(metrics::Registry& registry, const char* reason) {
  return registry.AddCounter(
      "heliograph_ingest_redeliveries_total",
      "Windows that were not acknowledged, so that the broker sends them again.",
      {{"reason", reason}});
}

metrics::Counter DeadLetterCounter(metrics::Registry& registry, device::DeadLetterReason reason) {
  return registry.AddCounter("heliograph_ingest_dead_letters_total",
                             "Messages that went to the dead letters.",
                             {{"reason", std::string(device::DeadLetterReasonName(reason))}});
}

}  // namespace

Instruments::Flow::Flow(metrics::Registry& registry, const char* channel)
    : messages(registry.AddCounter("heliograph_ingest_messages_total",
                                   "Messages handed to Kafka, with repeats after a redelivery.",
                                   {{"channel", channel}})),
      bytes(registry.AddCounter("heliograph_ingest_payload_bytes_total", "Bytes of their payloads.",
                                {{"channel", channel}})) {}

Instruments::Instruments(metrics::Registry& registry)
    : connects(registry.AddCounter("heliograph_ingest_connects_total",
                                   "Times that the broker accepted the main connection.")),
      connections_lost(
          registry.AddCounter("heliograph_ingest_connections_lost_total",
                              "Times that the main connection ended or could not be made.")),
      sessions_begun(registry.AddCounter(
          "heliograph_ingest_sessions_begun_total",
          "Connections for which the broker had no session: the first start of all, or what waited "
          "is lost.")),
      sessions_lost(registry.AddCounter(
          "heliograph_ingest_sessions_lost_total",
          "Times that the broker had forgotten the session of this process: messages that "
          "waited in it are lost.")),
      takeovers(registry.AddCounter(
          "heliograph_ingest_takeovers_total",
          "Times that this process backed off because another one takes its session.")),
      producers_replaced(registry.AddCounter("heliograph_ingest_producers_replaced_total",
                                             "Kafka producers given up after a fatal error.")),
      connected(registry.AddGauge("heliograph_ingest_connected",
                                  "1 while the main connection is subscribed.")),
      unconfirmed_records(registry.AddGauge("heliograph_ingest_unconfirmed_records",
                                            "Records handed to Kafka's client and not confirmed.")),
      held_messages(registry.AddGauge("heliograph_ingest_held_messages",
                                      "Messages whose acknowledgement waits for Kafka.")),
      receipts_waiting(
          registry.AddGauge("heliograph_ingest_receipts_waiting",
                            "Receipts that wait for Kafka, or for the broker to take them.")),
      broker_heartbeat_age(
          registry.AddGauge("heliograph_ingest_broker_heartbeat_age_seconds",
                            "Since the broker's last sign of life in $SYS; -1 before the first.")),
      control_(registry, "control"),
      data_(registry, "data"),
      expiring_(registry.AddCounter(
          "heliograph_ingest_expiring_messages_total",
          "Messages of devices that set a Message Expiry Interval, which can cost the order.")),
      registry_(registry),
      window_seconds_(registry.AddHistogram(
          "heliograph_ingest_window_seconds",
          "From a window's first message to its last acknowledgement.", metrics::LatencyBuckets())),
      window_messages_(registry.AddHistogram("heliograph_ingest_window_messages",
                                             "Messages in a window.", kMessageBuckets)) {
  for (const WindowEnd end :
       {WindowEnd::kMessages, WindowEnd::kBytes, WindowEnd::kAge, WindowEnd::kConfirmed}) {
    windows_.emplace(end, WindowCounter(registry, end));
  }
  redeliveries_.emplace(Redelivery::kKafkaRefused, RedeliveryCounter(registry, "kafka_refused"));
  redeliveries_.emplace(Redelivery::kKafkaSilent, RedeliveryCounter(registry, "kafka_silent"));
  redeliveries_.emplace(Redelivery::kConnectionLost,
                        RedeliveryCounter(registry, "connection_lost"));
  redeliveries_.emplace(Redelivery::kStopped, RedeliveryCounter(registry, "stopped"));
  // From the start, so that the first one is growth.
  for (const auto reason :
       {device::DeadLetterReason::kBadTopic, device::DeadLetterReason::kBadClientId,
        device::DeadLetterReason::kTooLarge}) {
    dead_letters_.emplace(reason, DeadLetterCounter(registry, reason));
  }
}

void Instruments::SetBrokerDropped(std::int64_t messages) {
  registry_
      .AddGauge(
          "heliograph_ingest_broker_dropped_messages",
          "The broker's own count of messages it dropped since it started: any growth is a loss.")
      .Set(static_cast<double>(messages));
}

void Instruments::CountMessage(MessageKind kind, std::size_t bytes) {
  Flow& flow = kind == MessageKind::kControl ? control_ : data_;
  ++flow.new_messages;
  flow.new_bytes += bytes;
}

void Instruments::CountDeadLetter(device::DeadLetterReason reason) {
  auto at = dead_letters_.find(reason);
  if (at == dead_letters_.end())
    at = dead_letters_.emplace(reason, DeadLetterCounter(registry_, reason)).first;
  at->second.Add();
}

void Instruments::Publish() {
  if (new_expiring_ > 0) expiring_.Add(static_cast<double>(std::exchange(new_expiring_, 0)));
  for (Flow* flow : {&control_, &data_}) {
    if (flow->new_messages == 0) continue;
    flow->messages.Add(static_cast<double>(flow->new_messages));
    flow->bytes.Add(static_cast<double>(flow->new_bytes));
    flow->new_messages = 0;
    flow->new_bytes = 0;
  }
}

void Instruments::WindowEnded(WindowEnd end, std::size_t messages, std::chrono::nanoseconds age) {
  windows_.at(end).Add();
  window_messages_.Observe(static_cast<double>(messages));
  window_seconds_.Observe(std::chrono::duration<double>(age).count());
}

void Instruments::Redelivered(Redelivery why) { redeliveries_.at(why).Add(); }

}  // namespace heliograph::ingest
