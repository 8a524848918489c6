#include "ingest/heartbeat.h"

#include <algorithm>
#include <charconv>

#include "base/uuid.h"

namespace heliograph::ingest {
namespace {

// Every sys_interval of the broker, 5 or 10 s; the second only as a sign of life.
constexpr std::string_view kDroppedTopic = "$SYS/broker/publish/messages/dropped";
constexpr std::string_view kUptimeTopic = "$SYS/broker/uptime";
constexpr std::string_view kVersionTopic = "$SYS/broker/version";

// Beside the receipts, which must not keep canaries from leaving.
constexpr std::size_t kCanaries = 16;

}  // namespace

bool LosesWhatWaits(std::string_view version) {
  constexpr std::string_view kBefore = "mosquitto version 2.0.";
  if (!version.starts_with(kBefore)) return false;
  int patch = -1;
  std::from_chars(version.data() + kBefore.size(), version.data() + version.size(), patch);
  return patch >= 12 && patch <= 22;
}

Heartbeat::Heartbeat(const MqttConfig& config, std::string canary_topic, const base::Clock& clock,
                     std::size_t receipts)
    : canary_topic_(std::move(canary_topic)),
      clock_(clock),
      session_(config.connection,
               {.client = {.client_id = config.client_id + "-aux-" + base::NewUuid().substr(0, 8),
                           .clean_start = true,
                           .session_expiry = {},
                           .receive_maximum = 0,
                           .maximum_packet_size = 0,
                           .will = {}},
                .thread_name = "mqtt-aux",
                .subscriptions = {std::string(kDroppedTopic), std::string(kUptimeTopic),
                                  std::string(kVersionTopic)},
                // The count is published when it changes: without the retained one, what was
                // dropped while we were away would show with the next loss only.
                .with_retained = true,
                .on_message = [this](const mqtt::IncomingMessage& message) { OnMessage(message); },
                .on_state = {},
                .max_in_flight = kCanaries + receipts}) {}

Heartbeat::~Heartbeat() = default;

void Heartbeat::OnMessage(const mqtt::IncomingMessage& message) {
  heard_at_ns_ = clock_.SteadyNow().time_since_epoch().count();
  if (message.topic == kVersionTopic && LosesWhatWaits(message.payload)) {
    logger_.Error(
        "with per_listener_settings true, this version of the broker throws away what devices send "
        "while ingest is not connected, and acknowledges it: use another version",
        {{"version", message.payload}});
  }
  if (message.topic != kDroppedTopic) return;
  std::int64_t count = -1;
  std::from_chars(message.payload.data(), message.payload.data() + message.payload.size(), count);
  if (count < 0) return;
  const std::int64_t before = std::max<std::int64_t>(dropped_.exchange(count), 0);
  if (count > before) {
    logger_.Error("the broker has dropped messages: raise its queue limits",
                  {{"dropped", count - before}});
  }
}

void Heartbeat::SendCanary(const std::string& payload) {
  // Without a Message Expiry Interval: where one runs out in our session, the broker lets a later
  // message of some device pass all that waits (docs/decisions/0013). One that nobody fetched waits
  // with the rest, and the next ingest takes no notice of it.
  // Whether it arrives is seen on the other connection; only a refusal is worth a word here.
  (void)session_.Publish({.topic = canary_topic_, .payload = payload, .qos = 1},
                         [this](mqtt::PublishOutcome outcome, int reason) {
                           if (outcome != mqtt::PublishOutcome::kRefused) return;
                           logger_.Error(
                               refused_limit_,
                               "the broker's access list does not let ingest publish its canary",
                               {{"topic", canary_topic_}, {"reason", mqtt::ReasonText(reason)}});
                         });
}

std::optional<std::int64_t> Heartbeat::dropped() const {
  const std::int64_t count = dropped_;
  if (count < 0) return std::nullopt;
  return count;
}

std::optional<std::chrono::nanoseconds> Heartbeat::silence() const {
  const std::int64_t heard = heard_at_ns_;
  if (heard == 0) return std::nullopt;
  return clock_.SteadyNow().time_since_epoch() - std::chrono::nanoseconds(heard);
}

}  // namespace heliograph::ingest
