#include "ingest/receipts.h"

#include <chrono>
#include <utility>

#include "base/uuid.h"
#include "ingest/invariant.h"
#include "ingest/receipt.h"

namespace heliograph::ingest {
namespace {

// For a device that is away and has a session: by then it has sent its message again.
constexpr std::chrono::seconds kExpiry{60};
// What one costs beside its names: envelope, topic, places in queues.
constexpr std::size_t kOverhead = 512;

metrics::Counter Dropped(metrics::Registry& registry, const char* reason) {
  return registry.AddCounter(
      "heliograph_ingest_receipts_dropped_total",
      "Receipts that a device asked for and did not get, so that it sends its message again.",
      {{"reason", reason}});
}

}  // namespace

Receipts::Receipts(const ReceiptsConfig& config, const device::TopicGrammar& grammar,
                   const base::Clock& clock, metrics::Registry& registry, Publish publish)
    : max_waiting_(static_cast<std::size_t>(config.max_waiting)),
      max_bytes_(static_cast<std::size_t>(config.max_bytes)),
      grammar_(grammar),
      clock_(clock),
      publish_(std::move(publish)),
      sent_(registry.AddCounter("heliograph_ingest_receipts_sent_total",
                                "Receipts that the broker has taken for the device that asked.")),
      foreign_(registry.AddCounter(
          "heliograph_ingest_receipts_refused_total",
          "Messages that asked for a receipt to a topic that is not their publisher's own.")),
      full_(Dropped(registry, "full")),
      no_connection_(Dropped(registry, "no_connection")),
      nobody_(Dropped(registry, "nobody_listens")),
      refused_(Dropped(registry, "refused_by_broker")) {}

std::size_t Receipts::SizeOf(const Asker& asker) {
  return kOverhead + asker.client_id.size() + asker.correlation_data.size();
}

// Both limits are the loop's to raise, so looking first is enough.
bool Receipts::Reserve(std::size_t bytes) {
  if (waiting_ >= max_waiting_ || bytes_ + bytes > max_bytes_) return false;
  ++waiting_;
  bytes_ += bytes;
  return true;
}

void Receipts::Release(std::size_t bytes) {
  --waiting_;
  bytes_ -= bytes;
}

Receipts::Ticket Receipts::Ask(const mqtt::IncomingMessage& message, std::string_view publisher) {
  if (!IsOwnControlIn(grammar_, message.response_topic, publisher)) {
    foreign_.Add();
    logger_.Warn(foreign_limit_, "a receipt to a topic that is not the publisher's own is refused",
                 {{"client_id", publisher}});
    return kNone;
  }
  if (!Reserve(kOverhead + publisher.size() + message.correlation_data.size())) {
    full_.Add();
    logger_.Warn(full_limit_, "too many receipts wait, more are dropped",
                 {{"waiting", waiting_.load()}, {"bytes", bytes_.load()}});
    return kNone;
  }
  if (unused_.empty()) {
    unused_.push_back(askers_.size());
    askers_.emplace_back();
  }
  const std::size_t place = unused_.back();
  unused_.pop_back();
  askers_[place] = {std::string(publisher), std::string(message.correlation_data), std::nullopt};
  return place + 1;
}

Receipts::Asker Receipts::Take(Ticket ticket) {
  const auto place = static_cast<std::size_t>(ticket - 1);
  Invariant(place < askers_.size(), "Kafka reported on a receipt that nobody waits for");
  unused_.push_back(place);
  return std::exchange(askers_[place], {});
}

void Receipts::MarkDeadLetter(Ticket ticket, device::DeadLetterReason reason) {
  if (ticket != kNone) askers_[static_cast<std::size_t>(ticket - 1)].dead_letter = reason;
}

void Receipts::Withdraw(Ticket ticket) {
  if (ticket != kNone) Release(SizeOf(Take(ticket)));
}

void Receipts::Reported(const kafka::Delivery& delivery) {
  Asker asker = Take(delivery.tag);
  const std::size_t bytes = SizeOf(asker);
  if (!delivery.ok) return Release(bytes);  // the broker sends the message again, which asks again
  mqtt::OutgoingMessage message;
  message.topic =
      grammar_.Write(asker.client_id, device::Channel::kControl, device::Direction::kIn);
  message.payload = ReceiptMessage({.partition = delivery.partition,
                                    .offset = delivery.offset,
                                    .dead_letter = asker.dead_letter},
                                   base::NewUuid(), clock_.Now());
  message.qos = 1;
  message.expiry = kExpiry;
  message.correlation_data = std::move(asker.correlation_data);
  const base::Status queued =
      publish_(std::move(message), [this, bytes](mqtt::PublishOutcome outcome, int reason) {
        Done(outcome, reason);
        Release(bytes);
      });
  if (queued) return;
  no_connection_.Add();
  Release(bytes);
}

void Receipts::Done(mqtt::PublishOutcome outcome, int reason) {
  switch (outcome) {
    case mqtt::PublishOutcome::kAcknowledged:
      return sent_.Add();
    case mqtt::PublishOutcome::kNoMatchingSubscribers:
      return nobody_.Add();
    case mqtt::PublishOutcome::kConnectionLost:
      return no_connection_.Add();
    case mqtt::PublishOutcome::kRefused:
      logger_.Error(refused_limit_, "the broker's access list does not let ingest send receipts",
                    {{"reason", mqtt::ReasonText(reason)}});
      return refused_.Add();
  }
}

void Receipts::Abandon() {
  std::vector<bool> is_unused(askers_.size());
  for (const std::size_t place : unused_) is_unused[place] = true;
  for (std::size_t place = 0; place < askers_.size(); ++place) {
    if (!is_unused[place]) Release(SizeOf(askers_[place]));
  }
  askers_.clear();
  unused_.clear();
}

}  // namespace heliograph::ingest
