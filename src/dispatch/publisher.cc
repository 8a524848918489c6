#include "dispatch/publisher.h"

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>

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

// False: it was not sent, because the broker is away or the deadline came first.
bool Publisher::Send(std::size_t target, const device::ClientId& client_id, const Round& round) {
  while (true) {
    const auto now = clock_.SteadyNow();
    if (now >= round.deadline) return false;
    mqtt::OutgoingMessage outgoing;
    outgoing.topic =
        topics_.Write(client_id.view(), device::Channel::kData, device::Direction::kIn);
    outgoing.payload = round.message;
    outgoing.qos = 1;
    // Whole seconds, and rather too few; the device itself refuses what comes in the last one.
    outgoing.expiry = std::max(seconds(1), std::chrono::floor<seconds>(round.deadline - now));
    // Before it is handed over: the acknowledgement may come before Publish returns.
    round.publication->Begin(target);
    const base::Status sent = sender_.Publish(
        std::move(outgoing),
        [publication = round.publication, target](mqtt::PublishOutcome outcome, int) {
          publication->Acknowledge(target, FateOf(outcome));
        });
    if (sent) return true;
    round.publication->Withdraw(target);
    if (!sender_.connected() || clock_.SteadyNow() + kBusyPause >= round.give_up) return false;
    std::this_thread::sleep_for(kBusyPause);
  }
}

std::vector<Fate> Publisher::Publish(const Order& order,
                                     std::span<const device::ClientId> client_ids) {
  const auto begin = clock_.SteadyNow();
  const Round round{Message(order), std::make_shared<Publication>(client_ids.size()),
                    order.give_up_at,
                    std::min(order.give_up_at, begin + TimeFor(client_ids.size()))};
  const std::size_t window =
      std::clamp<std::size_t>(kMostBytesOut / round.message.size(), 1, kMostOut);
  for (std::size_t i = 0; i < client_ids.size(); ++i) {
    if (!round.publication->WaitForRoom(window, round.give_up)) break;
    if (!Send(i, client_ids[i], round)) break;
  }
  std::vector<Fate> fates = round.publication->End(round.give_up);
  seconds_.Observe(std::chrono::duration<double>(clock_.SteadyNow() - begin).count());
  return fates;
}

}  // namespace heliograph::dispatch
