#include "recorder/publisher.h"

#include <poll.h>

#include <algorithm>

#include "base/startup_error.h"

namespace heliograph::recorder {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

Publisher::Publisher(const kafka::ClusterConfig& cluster, const std::string& client_id,
                     std::size_t max_message_bytes)
    : cluster_(cluster), backoff_(milliseconds(100), std::chrono::seconds(10)) {
  options_.client_id = client_id;
  options_.max_message_bytes = max_message_bytes;
  options_.wakeup_fd = wakeup_.fd();
  producer_ = std::make_unique<kafka::Producer>(
      cluster_, options_, [this](const kafka::Delivery& delivery) { OnDelivery(delivery); });
}

void Publisher::OrderAcrossPartitions(std::string topic, std::function<int()> partitions) {
  ordered_topic_ = std::move(topic);
  partitions_now_ = std::move(partitions);
}

std::size_t Publisher::SizeOf(const Message& message) {
  return message.key.size() + message.payload.size() + 256;
}

void Publisher::Send(Message message) {
  bytes_ += SizeOf(message);
  if (message.ticket) ++message.ticket->open;
  messages_.push_back({std::move(message), false});
}

void Publisher::Finish(Kept& kept) {
  if (kept.done) return;
  kept.done = true;
  bytes_ -= SizeOf(kept.message);
  if (kept.message.ticket) --kept.message.ticket->open;
  kept.message.content.reset();
}

void Publisher::OnDelivery(const kafka::Delivery& delivery) {
  if (delivery.tag < first_tag_) return;
  Kept& kept = messages_[delivery.tag - first_tag_];
  if (delivery.ok) {
    refused_.clear();
    Finish(kept);
  } else if (delivery.error.code == base::ErrorCode::kTooLarge) {
    // Kafka will never take it, so keeping it would stop all that follow.
    log_.Error("a record is larger than its topic takes and was left out",
               {{"topic", kept.message.topic}});
    Finish(kept);
  } else if (delivery.error.code != base::ErrorCode::kCancelled) {
    // Its topic is gone, or not ours to write to: those behind it must not pass it, so a new
    // producer gets all of them again.
    refused_ = delivery.error.message;
    must_replace_ = true;
  }
}

// Whether a message of this topic may be handed over. With another number of partitions its key may
// go to another one, and must not be stored before what is under way to the old one.
bool Publisher::Choose(const std::string& topic) {
  if (!partitions_now_ || topic != ordered_topic_) return true;
  const std::int32_t now = partitions_now_();
  if (now == partitions_) return true;
  if (producer_->in_flight() > 0) return false;
  partitions_ = now;
  return true;
}

void Publisher::HandOver() {
  while (handed_over_ < messages_.size()) {
    Kept& kept = messages_[handed_over_];
    if (!kept.done) {
      if (!Choose(kept.message.topic)) return;
      std::vector<kafka::Header> headers;
      for (const auto& [name, value] : kept.message.headers) headers.push_back({name, value});
      const kafka::Record record{kept.message.topic, kept.message.key, kept.message.payload,
                                 headers, kept.message.topic == ordered_topic_ ? partitions_ : 0};
      const base::Status sent = producer_->Send(record, first_tag_ + handed_over_);
      if (!sent && sent.error().code == base::ErrorCode::kTooLarge) {
        log_.Error("a record is larger than Kafka takes and was left out",
                   {{"topic", kept.message.topic}});
        Finish(kept);
      } else if (!sent) {
        return;  // the queue is full, or the producer is of no use any more
      }
    }
    ++handed_over_;
  }
}

void Publisher::ReplaceProducer() {
  if (steady_clock::now() < replace_at_) return;
  replace_at_ = steady_clock::now() + backoff_.Next();
  const std::string fatal = producer_->fatal();
  log_.Warn("replacing the Kafka producer", {{"why", fatal.empty() ? refused_ : fatal}});
  producer_.reset();  // reports what it gives up
  must_replace_ = false;
  handed_over_ = 0;
  producer_ = std::make_unique<kafka::Producer>(
      cluster_, options_, [this](const kafka::Delivery& delivery) { OnDelivery(delivery); });
}

void Publisher::ForgetFinished() {
  while (!messages_.empty() && messages_.front().done && handed_over_ > 0) {
    messages_.pop_front();
    ++first_tag_;
    --handed_over_;
    backoff_.Reset();
  }
}

void Publisher::Pump() {
  wakeup_.Clear();
  producer_->Poll();
  ForgetFinished();
  if (must_replace_ || !producer_->fatal().empty()) ReplaceProducer();
  if (!must_replace_) HandOver();
}

bool Publisher::WaitFor(const Ticket& ticket, milliseconds limit) {
  const auto deadline = steady_clock::now() + limit;
  Pump();
  while (ticket.open > 0) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd reports{wakeup_.fd(), POLLIN, 0};
    // Not longer than this at a time: a fatal producer does not always wake us.
    ::poll(&reports, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 100)));
    Pump();
  }
  return true;
}

void Publisher::Drain(milliseconds limit) {
  const auto deadline = steady_clock::now() + limit;
  Pump();
  while (!messages_.empty() && steady_clock::now() < deadline) {
    pollfd reports{wakeup_.fd(), POLLIN, 0};
    ::poll(&reports, 1, 20);
    Pump();
  }
}

std::string Publisher::unreachable() const {
  std::string why = producer_->unreachable();
  return why.empty() ? refused_ : why;
}

}  // namespace heliograph::recorder
