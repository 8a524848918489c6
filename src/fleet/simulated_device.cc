#include "fleet/simulated_device.h"

#include <algorithm>
#include <cassert>

#include "base/startup_error.h"
#include "base/uuid.h"
#include "fleet/messages.h"
#include "fleet/numbered.h"
#include "fleet/receipt.h"
#include "log/log.h"

namespace heliograph::fleet {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr milliseconds kFirstBackoff{200};
constexpr milliseconds kLongestBackoff{5000};
constexpr milliseconds kLeaveWithin{3000};
constexpr milliseconds kFarewell{200};  // one device must not hold up the others
constexpr int kPacketsPerTurn = 64;

const log::Logger kLog("fleet");
log::RateLimit& LossLimit() {
  static log::RateLimit limit(2s);
  return limit;
}

mqtt::ClientOptions ClientOptionsOf(const Options& options, const std::string& name) {
  mqtt::ClientOptions client;
  client.client_id = name;
  client.session_expiry = std::chrono::duration_cast<std::chrono::seconds>(options.session_expiry);
  client.clean_start = client.session_expiry.count() == 0;
  return client;
}

}  // namespace

mqtt::ConnectionConfig SimulatedDevice::ConfigFor() const {
  const Options& options = world_.options;
  mqtt::ConnectionConfig config;
  const bool v6 = options.host.find(':') != std::string::npos;
  config.hosts = {(v6 ? "[" + options.host + "]" : options.host) + ":" +
                  std::to_string(options.port)};
  config.ca_file = options.ca_file.empty() ? options.certs + "/ca.crt" : options.ca_file;
  config.cert_file = options.certs + "/" + name_ + ".crt";
  config.key_file = options.certs + "/" + name_ + ".key";
  config.keepalive = options.keepalive;
  config.connect_timeout = 15s;  // thousands may be waiting for the same broker
  return config;
}

SimulatedDevice::SimulatedDevice(World& world, std::string name, std::size_t index)
    : world_(world),
      name_(std::move(name)),
      control_in_(world.topics.Write(name_, device::Channel::kControl, device::Direction::kIn)),
      out_{world.topics.Write(name_, device::Channel::kControl, device::Direction::kOut),
           world.topics.Write(name_, device::Channel::kData, device::Direction::kOut)},
      config_(ConfigFor()),
      client_(config_, ClientOptionsOf(world.options, name_), *this, world.tls),
      responder_({world.options.stages, world.options.answer_delay}),
      backoff_(kFirstBackoff, kLongestBackoff, static_cast<unsigned>(index + 1)),
      first_telemetry_(world.options.interval * static_cast<std::int64_t>(index * 7919 % 1000) /
                       1000),
      sample_(index * 37),
      outboxes_{Outbox(world.options.receipts), Outbox(world.options.receipts)} {
  static_assert(static_cast<int>(device::Channel::kControl) == 0);
  const std::string& common_name = client_.certificate().common_name;
  if (common_name != name_) {
    throw base::StartupError("the certificate '" + config_.cert_file + "' is for '" + common_name +
                             "', not for '" + name_ + "'");
  }
}

SimulatedDevice::~SimulatedDevice() = default;

void SimulatedDevice::StartConnecting() {
  state_ = State::kConnecting;
  handshake_done_ = false;
  session_id_ = base::NewUuid();
  client_.SetWill({out_[0], OfflineMessage(session_id_, "connection_lost", world_.clock.Now()), 1});
  if (const base::Status status = client_.StartConnect(); !status) Ended(status.error().message);
}

void SimulatedDevice::OnReady(bool readable) {
  if (!handshake_done_) {
    const auto done = client_.ContinueConnect();
    if (!done) return Ended(done.error().message);
    handshake_done_ = *done;
    if (!handshake_done_) return;
  }
  for (int i = 0; readable && i < kPacketsPerTurn; ++i) {
    if (const base::Status status = client_.ReadPacket(); !status)
      return Ended(status.error().message);
    readable = client_.HasDecryptedBytes();
  }
  CarryOut();
  if (state_ == State::kLeaving && on_the_way_.empty())
    return FinishLeaving(world_.clock.SteadyNow());
  Flush();
}

void SimulatedDevice::Flush() {
  if (!handshake_done_ || !client_.WantsWrite()) return;
  if (const base::Status status = client_.WritePending(); !status) Ended(status.error().message);
}

void SimulatedDevice::OnSecond() {
  if (client_.fd() < 0) return;
  if (const base::Status status = client_.Maintain(); !status) return Ended(status.error().message);
  if (world_.options.receipts) ResendUnreceipted();
  Flush();
}

void SimulatedDevice::ResendUnreceipted() {
  const base::SteadyTime now = world_.clock.SteadyNow();
  for (Outbox& outbox : outboxes_) outbox.OnTime(now, world_.options.receipt_timeout);
  while (HasDue() && CanSend()) SendOne();
}

std::optional<base::SteadyTime> SimulatedDevice::ConnectAt() const {
  if (state_ != State::kAway || !wanted_) return std::nullopt;
  return connect_at_;
}

std::optional<base::SteadyTime> SimulatedDevice::NextTimer() const {
  std::optional<base::SteadyTime> next;
  const auto consider = [&](base::SteadyTime time) {
    if (!next || time < *next) next = time;
  };
  if (state_ == State::kLeaving) consider(leave_by_);
  if (state_ != State::kOnline) return next;
  if (world_.by_interval && !telemetry_stopped_) consider(next_telemetry_);
  for (const Later& one : later_) consider(one.due);
  return next;
}

void SimulatedDevice::OnTimer(base::SteadyTime now) {
  if (state_ == State::kLeaving) return FinishLeaving(now);
  if (state_ != State::kOnline) return;
  for (std::size_t i = 0; i < later_.size();) {
    if (later_[i].due > now) {
      ++i;
      continue;
    }
    Reply reply = std::move(later_[i].reply);
    later_.erase(later_.begin() + static_cast<std::ptrdiff_t>(i));
    Publish(reply.channel, std::move(reply.payload), 1, Kind::kAnswer, 0);
  }
  if (world_.by_interval && !telemetry_stopped_ && now >= next_telemetry_) {
    next_telemetry_ = now + world_.options.interval;
    if (CanSend()) SendOne();
  }
  Flush();
}

bool SimulatedDevice::CanSend() const {
  return state_ == State::kOnline &&
         telemetry_on_the_way_ < static_cast<std::size_t>(world_.options.in_flight) &&
         (HasDue() || (!telemetry_stopped_ && !IsFinished() && HasRoom()));
}

bool SimulatedDevice::HasRoom() const {
  return !world_.options.receipts ||
         Outstanding() < static_cast<std::size_t>(world_.options.max_unreceipted);
}

bool SimulatedDevice::HasDue() const { return outboxes_[0].HasDue() || outboxes_[1].HasDue(); }

bool SimulatedDevice::IsFinished() const {
  return world_.options.messages > 0 &&
         sent_ >= static_cast<std::uint64_t>(world_.options.messages);
}

std::size_t SimulatedDevice::Outstanding() const {
  return world_.options.numbered ? outboxes_[0].kept() + outboxes_[1].kept()
                                 : telemetry_on_the_way_;
}

std::pair<device::Channel, Outbox*> SimulatedDevice::NextOutbox() {
  // What is due again goes first, on either channel.
  for (const auto channel : {device::Channel::kControl, device::Channel::kData}) {
    Outbox& outbox = outboxes_[static_cast<std::size_t>(channel)];
    if (outbox.HasDue()) return {channel, &outbox};
  }
  if (world_.options.channels == "both") control_next_ = !control_next_;
  const bool control = world_.options.channels == "control" || control_next_;
  const auto channel = control ? device::Channel::kControl : device::Channel::kData;
  return {channel, &outboxes_[static_cast<std::size_t>(channel)]};
}

bool SimulatedDevice::SendOne() {
  const int qos = static_cast<int>(world_.options.qos);
  const base::Timestamp now = world_.clock.Now();
  bool is_new = true;
  if (world_.options.numbered) {
    const auto [channel, outbox] = NextOutbox();
    const Outbox::Item item = outbox->Take(now);
    is_new = !item.again;
    std::string payload = NumberedMessage({world_.run, name_, channel, item.sequence}, item.sent,
                                          static_cast<std::size_t>(world_.options.payload_bytes));
    Publish(channel, std::move(payload), qos, Kind::kNumbered, item.sequence);
  } else {
    const std::string document = world_.recording.Document(sample_++, now);
    Publish(device::Channel::kData, DataMessage("monitoring.pms", document, now), qos,
            Kind::kTelemetry, 0);
  }
  ++(is_new ? world_.counters.sent : world_.counters.resent);
  if (is_new) ++sent_;
  return is_new;
}

bool SimulatedDevice::Publish(device::Channel channel, std::string payload, int qos, Kind kind,
                              std::uint64_t sequence) {
  mqtt::OutgoingMessage message;
  message.topic = out_[static_cast<std::size_t>(channel)];
  message.payload = std::move(payload);
  message.qos = qos;
  if (kind == Kind::kNumbered && world_.options.receipts) {
    message.response_topic = control_in_;
    message.correlation_data = CorrelationOf({channel, sequence}, world_.run);
  }
  const auto message_id = client_.Publish(message);
  if (!message_id) {
    kLog.Warn(LossLimit(), "message not published",
              {{"client_id", name_}, {"reason", message_id.error().message}});
    if (kind == Kind::kNumbered) Settle({0, kind, channel, sequence}, mqtt::kReasonFailure);
    return false;
  }
  on_the_way_.push_back({*message_id, kind, channel, sequence});
  if (kind == Kind::kAnswer) {
    ++world_.counters.answers;
  } else {
    ++telemetry_on_the_way_;
  }
  return true;
}

void SimulatedDevice::OnConnected(int reason, bool) {
  if (reason != mqtt::kReasonSuccess) return;
  ++world_.counters.connects;
  subscriptions_ = 0;
  for (const std::string& topic :
       {control_in_, world_.topics.Write(name_, device::Channel::kData, device::Direction::kIn)}) {
    if (client_.Subscribe(topic, 1)) ++subscriptions_;
  }
}

void SimulatedDevice::OnSubscribed(int, std::span<const int>) {
  if (--subscriptions_ == 0) ComeOnline();
}

void SimulatedDevice::ComeOnline() {
  state_ = State::kOnline;
  was_online_ = true;
  ++world_.counters.online;
  online_since_ = world_.clock.SteadyNow();
  Publish(device::Channel::kControl, OnlineMessage(name_, session_id_, world_.clock.Now()), 1,
          Kind::kAnswer, 0);
  next_telemetry_ = online_since_ + first_telemetry_;
}

void SimulatedDevice::OnMessage(const mqtt::IncomingMessage& message) {
  const base::Timestamp now = world_.clock.Now();
  if (message.topic != control_in_) {
    Reaction reaction = responder_.OnData(message.payload, now);
    if (reaction.is_action) ++world_.counters.actions;
    return React(std::move(reaction));
  }
  if (world_.options.receipts && !message.correlation_data.empty()) return OnReceipt(message);
  React(responder_.OnControl(message.payload, now));
}

void SimulatedDevice::OnReceipt(const mqtt::IncomingMessage& message) {
  const auto asked = ReadCorrelation(message.correlation_data, world_.run);
  if (!asked || !IsReceipt(message.payload)) return;
  Outbox& outbox = outboxes_[static_cast<std::size_t>(asked->channel)];
  if (outbox.OnReceipt(asked->sequence)) ++world_.counters.receipts;
}

void SimulatedDevice::React(Reaction reaction) {
  const base::SteadyTime now = world_.clock.SteadyNow();
  for (Reply& reply : reaction.replies) {
    if (reply.after == 0ms) {
      Publish(reply.channel, std::move(reply.payload), 1, Kind::kAnswer, 0);
    } else {
      later_.push_back({now + reply.after, std::move(reply)});
    }
  }
  if (reaction.then != Then::kStay) pending_ = std::move(reaction);
}

void SimulatedDevice::CarryOut() {
  if (state_ == State::kOnline && flaps_ > 0) {
    Flush();  // what it said of itself goes out before it is gone again
    return Flap(flaps_);
  }
  if (!pending_) return;
  const Reaction reaction = *std::exchange(pending_, std::nullopt);
  if (state_ != State::kOnline) return;
  GoOffline();
  if (reaction.then == Then::kReconnect) {
    wanted_ = true;
    connect_at_ = world_.clock.SteadyNow() + reaction.delay;
  }
}

void SimulatedDevice::OnPublished(int message_id, int reason) {
  const auto found = std::find_if(on_the_way_.begin(), on_the_way_.end(), [&](const OnTheWay& one) {
    return one.message_id == message_id;
  });
  if (found == on_the_way_.end()) return;
  const OnTheWay one = *found;
  on_the_way_.erase(found);
  if (one.kind == Kind::kAnswer) return;
  --telemetry_on_the_way_;
  Settle(one, reason);
}

void SimulatedDevice::Settle(const OnTheWay& one, int reason) {
  Outbox& outbox = outboxes_[static_cast<std::size_t>(one.channel)];
  const bool numbered = one.kind == Kind::kNumbered;
  const base::SteadyTime now = world_.clock.SteadyNow();
  if (reason == mqtt::kReasonNoMatchingSubscribers) {
    ++world_.counters.no_subscriber;
    if (numbered) outbox.OnNoSubscriber(one.sequence, now);
  } else if (reason >= mqtt::kReasonFailure) {
    ++world_.counters.refused;
    if (numbered) outbox.OnRefused(one.sequence);
  } else {
    if (!numbered || outbox.OnAcknowledged(one.sequence, now)) ++world_.counters.acknowledged;
  }
}

// What belongs to the connection that has ended.
void SimulatedDevice::Forget() {
  if (state_ == State::kOnline || state_ == State::kLeaving) --world_.counters.online;
  if (!world_.options.numbered) world_.counters.forgotten += telemetry_on_the_way_;
  on_the_way_.clear();
  telemetry_on_the_way_ = 0;
  pending_.reset();
  for (Outbox& outbox : outboxes_) outbox.OnConnectionLost();
}

void SimulatedDevice::Ended(const std::string& why) {
  const base::SteadyTime now = world_.clock.SteadyNow();
  if (state_ == State::kOnline) ++world_.counters.losses;
  kLog.Warn(LossLimit(), state_ == State::kOnline ? "connection lost" : "no connection",
            {{"client_id", name_}, {"reason", why}});
  if (state_ == State::kOnline && now - online_since_ > kLongestBackoff) backoff_.Reset();
  Forget();
  state_ = State::kAway;
  connect_at_ = now + backoff_.Next();
}

void SimulatedDevice::GoOnline() {
  wanted_ = true;
  if (state_ == State::kAway) connect_at_ = {};
}

void SimulatedDevice::GoOffline() {
  wanted_ = false;
  if (state_ == State::kConnecting) return Die();
  if (state_ != State::kOnline) return;
  Publish(device::Channel::kControl, OfflineMessage(session_id_, "", world_.clock.Now()), 1,
          Kind::kAnswer, 0);
  state_ = State::kLeaving;
  leave_by_ = world_.clock.SteadyNow() + kLeaveWithin;
  Flush();
}

void SimulatedDevice::FinishLeaving(base::SteadyTime now) {
  if (!on_the_way_.empty() && now < leave_by_) return;
  const bool all_said = on_the_way_.empty();
  if (all_said) {
    client_.Disconnect(kFarewell);
  } else {
    client_.Abort();
  }
  Forget();
  state_ = State::kAway;
}

void SimulatedDevice::Die() {
  wanted_ = false;
  client_.Abort();
  Forget();
  state_ = State::kAway;
}

void SimulatedDevice::Flap(std::int64_t times) {
  if (state_ != State::kOnline || times == 0) return;
  flaps_ = times - 1;
  client_.Abort();
  Forget();
  state_ = State::kAway;
  connect_at_ = {};
}

}  // namespace heliograph::fleet
