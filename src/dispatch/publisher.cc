#include "dispatch/publisher.h"

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>

#include "action/action.h"
#include "action/request.h"
#include "base/rfc3339.h"
#include "device/data_message.h"

namespace heliograph::dispatch {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Unacknowledged messages of one action: enough to keep the broker busy, without a copy of a large
// payload for each of 10,000 devices in memory.
constexpr std::size_t kMostOut = 1000;
constexpr std::size_t kMostBytesOut = 8 * 1024 * 1024;
// Fixed header, topic length, packet id, properties with the expiry: a few bytes, generously.
constexpr std::size_t kPacketOverhead = 64;
// Other actions fill the connection: look again this soon.
constexpr milliseconds kBusyPause{5};
// Without any acknowledgement, when as many actions wait as may: then the broker is not well.
constexpr milliseconds kPatience{250};

std::size_t WindowFor(std::size_t message_bytes) {
  return std::clamp<std::size_t>(kMostBytesOut / message_bytes, 1, kMostOut);
}

}  // namespace

Publisher::Publisher(Sender& sender, device::TopicGrammar topics, const PublisherOptions& options,
                     const base::Clock& clock, metrics::Registry& metrics)
    : sender_(sender),
      topics_(std::move(topics)),
      options_(options),
      clock_(clock),
      gate_(options.max_publishing, kPatience),
      seconds_(
          metrics.AddHistogram("heliograph_dispatch_publish_seconds",
                               "From the first publish of an action to its last acknowledgement.",
                               metrics::LatencyBuckets())),
      crowded_out_(metrics.AddCounter("heliograph_dispatch_crowded_out_total",
                                      "Requests that were told to come again, because too many "
                                      "others waited for the broker.")) {}

base::Result<Gate::Place> Publisher::Enter() {
  if (!sender_.connected()) {
    return base::MakeError(base::ErrorCode::kUnavailable, "the message broker is away");
  }
  Gate::Place place = gate_.Enter();
  if (place) return place;
  crowded_out_.Add();
  return base::MakeError(base::ErrorCode::kUnavailable,
                         "too many actions wait for the message broker");
}

std::string Publisher::Message(const Order& order) const {
  device::DataMessage message;
  message.message_id = device::MessageId(order.id.str());
  message.directive = order.directive.str();
  message.metadata = order.metadata;
  message.metadata.emplace(action::kDeadlineName, base::FormatRfc3339(order.deadline));
  message.content = order.payload;
  return device::WriteDataMessage(message, clock_.Now());
}

base::Status Publisher::CheckSize(const Order& order,
                                  std::span<const device::ClientId> client_ids) const {
  std::size_t longest = 0;
  for (const device::ClientId& id : client_ids) {
    longest = std::max(
        longest, topics_.Write(id.view(), device::Channel::kData, device::Direction::kIn).size());
  }
  const std::size_t bytes = Message(order).size() + longest + kPacketOverhead;
  if (bytes <= options_.max_packet_bytes) return {};
  return base::MakeError(base::ErrorCode::kTooLarge, "the action is a message of " +
                                                         std::to_string(bytes) +
                                                         " bytes; the broker takes " +
                                                         std::to_string(options_.max_packet_bytes));
}

milliseconds Publisher::TimeFor(std::size_t targets) const {
  return options_.publish_timeout + milliseconds(targets);
}

Publisher::Sent Publisher::Send(std::size_t target, const Delivery& delivery,
                                const std::string& message, const Round& round) {
  const base::SteadyTime deadline = delivery.order->give_up_at;
  const auto give_up = std::min(deadline, round.give_up);
  while (true) {
    const auto now = clock_.SteadyNow();
    if (now >= deadline) return Sent::kTooLate;
    mqtt::OutgoingMessage outgoing;
    outgoing.topic =
        topics_.Write(delivery.client_id->view(), device::Channel::kData, device::Direction::kIn);
    outgoing.payload = message;
    outgoing.qos = 1;
    // Whole seconds, and rather too few; the device itself refuses what comes in the last one.
    outgoing.expiry = std::max(seconds(1), std::chrono::floor<seconds>(deadline - now));
    // Before it is handed over: the acknowledgement may come before Publish returns.
    round.publication->Begin(target);
    const base::Status sent = sender_.Publish(
        std::move(outgoing), delivery.order->dispatcher,
        [publication = round.publication, target](mqtt::PublishOutcome outcome, int) {
          publication->Acknowledge(target, FateOf(outcome));
        });
    if (sent) return Sent::kYes;
    round.publication->Withdraw(target);
    const bool lost = sent.error().code == base::ErrorCode::kConflict;
    if (lost || !sender_.connected()) return Sent::kBrokerAway;
    if (clock_.SteadyNow() + kBusyPause >= give_up) return Sent::kTooLate;
    std::this_thread::sleep_for(kBusyPause);
  }
}

std::vector<Fate> Publisher::Publish(const Order& order,
                                     std::span<const device::ClientId> client_ids,
                                     base::SteadyTime give_up) {
  std::vector<Delivery> deliveries;
  deliveries.reserve(client_ids.size());
  for (const device::ClientId& client_id : client_ids) deliveries.push_back({&order, &client_id});
  return Publish(deliveries, give_up);
}

std::vector<Fate> Publisher::Publish(std::span<const Delivery> deliveries,
                                     base::SteadyTime give_up) {
  const auto begin = clock_.SteadyNow();
  const auto last = std::max_element(deliveries.begin(), deliveries.end(),
                                     [](const Delivery& one, const Delivery& other) {
                                       return one.order->give_up_at < other.order->give_up_at;
                                     });
  if (last == deliveries.end()) return {};
  const Round round{
      std::make_shared<Publication>(deliveries.size()),
      std::min({give_up, begin + TimeFor(deliveries.size()), last->order->give_up_at})};
  std::map<const Order*, std::string> messages;
  for (std::size_t i = 0; i < deliveries.size(); ++i) {
    std::string& message = messages[deliveries[i].order];
    if (message.empty()) message = Message(*deliveries[i].order);
    if (!round.publication->WaitForRoom(WindowFor(message.size()), round.give_up)) break;
    if (Send(i, deliveries[i], message, round) == Sent::kBrokerAway) break;
  }
  std::vector<Fate> fates = round.publication->End(round.give_up);
  if (clock_.SteadyNow() >= round.give_up) EndSilence(deliveries, fates, round.give_up);
  seconds_.Observe(std::chrono::duration<double>(clock_.SteadyNow() - begin).count());
  return fates;
}

// What a deadline has cut short says nothing about the broker.
void Publisher::EndSilence(std::span<const Delivery> deliveries, const std::vector<Fate>& fates,
                           base::SteadyTime give_up) {
  for (std::size_t i = 0; i < fates.size(); ++i) {
    if (fates[i].reason == action::kNotAcknowledged && deliveries[i].order->give_up_at > give_up) {
      return sender_.Reconnect();
    }
  }
}

}  // namespace heliograph::dispatch
