#include "ingest/ingest.h"

#include <poll.h>

#include <algorithm>
#include <array>

#include "base/startup_error.h"
#include "base/uuid.h"
#include "ingest/invariant.h"

namespace heliograph::ingest {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTick{1000};
// So that reports are served in between.
constexpr int kPacketsPerPass = 256;
// Packets in one pass from which on it pays to rest before the next.
constexpr int kBusyPass = 4;
// Bytes that are company enough: a full TLS record.
constexpr std::size_t kEnough = 16 * 1024;
// Kafka away for longer at the start: subscribe without it, so that the broker keeps what devices
// say.
constexpr milliseconds kRegisterAfter{1000};
// A window that waits longer than this for Kafka makes us not ready.
constexpr milliseconds kSlowConfirmation{3000};
// For what was read when the process is asked to end; the rest of the 5 s is for the connections.
constexpr milliseconds kFinishLimit{3000};
// A broker that does not close the connection for longer is not well.
constexpr milliseconds kLongestFarewell{500};
// Places of the topics in what topic_watch_ is given.
constexpr std::size_t kControlPlan = 0;
constexpr std::size_t kDataPlan = 1;
// What a message costs beside its payload and topic.
constexpr std::size_t kMessageOverhead = 256;

device::TopicGrammar Grammar(const Config& config) {
  auto grammar = device::TopicGrammar::Create(config.topic_prefix);
  if (!grammar) throw base::StartupError(grammar.error().message);
  return *std::move(grammar);
}

WindowLimits Limits(const Config& config) {
  return {.max_messages = static_cast<std::size_t>(config.window.max_messages),
          .max_bytes = static_cast<std::size_t>(config.window.max_bytes),
          .max_age = config.window.max_age,
          .confirm = config.confirm_limit()};
}

}  // namespace

Ingest::Ingest(const Config& config, base::Health& health, metrics::Registry& registry)
    : config_(config),
      health_(health),
      grammar_(Grammar(config)),
      topics_(PlanTopics(config)),
      instruments_(registry),
      builder_(topics_, grammar_, config.max_message_bytes()),
      window_(Limits(config)),
      canary_(config.mqtt.client_id, base::NewUuid()),
      receipts_(config.receipts, grammar_, clock_, registry,
                [this](mqtt::OutgoingMessage message, mqtt::PublishCallback on_done) {
                  return heartbeat_.Publish(std::move(message), std::move(on_done));
                }),
      topic_watch_(config.kafka.cluster, "heliograph-ingest-topics",
                   {topics_.control, topics_.data, topics_.dead_letter}, kafka_wakeup_),
      link_(config.mqtt, grammar_, *this, instruments_, clock_),
      acknowledgements_(window_, link_),
      heartbeat_(config.mqtt, CanaryTopic(grammar_), clock_,
                 static_cast<std::size_t>(config.receipts.max_waiting)),
      now_(clock_.SteadyNow()),
      started_(now_) {
  MakeProducer();
  TellHealth();
}

Ingest::~Ingest() {
  producer_.reset();  // its last reports may be worth a receipt
}

void Ingest::MakeProducer() {
  // A whole window and the largest packet beyond it fit into the queue twice, so it is never full.
  const std::size_t queue =
      2 * (Limits(config_).max_bytes + config_.max_message_bytes()) + 16 * 1024 * 1024;
  producer_ = std::make_unique<kafka::Producer>(
      config_.kafka.cluster,
      kafka::ProducerOptions{.client_id = "heliograph-ingest",
                             .max_message_bytes = config_.max_message_bytes(),
                             .linger = config_.kafka.linger,
                             .max_queued_bytes = queue,
                             .message_timeout = milliseconds(0),
                             .wakeup_fd = kafka_wakeup_.fd()},
      [this](const kafka::Delivery& delivery) {
        window_.Reported(delivery.ok);
        if (delivery.ok) ++confirmed_;
        const bool refused = !delivery.ok && delivery.error.code != base::ErrorCode::kCancelled;
        if (refused) kafka_error_ = delivery.error.message;
        if (delivery.tag != Receipts::kNone) receipts_.Reported(delivery);
      });
}

int Ingest::Run(int stop_fd) {
  for (;;) {
    const Ready ready = Wait(stop_fd);
    now_ = clock_.SteadyNow();
    builder_.SetTime(clock_.Now());
    if (ready.stop) break;
    ServeKafka();
    if (now_ >= next_tick_) Tick();
    ServeLink(ready.link);
    instruments_.Publish();
  }
  Finish();
  return 0;
}

Ingest::Ready Ingest::Wait(int stop_fd) {
  // A descriptor that is not asked for is left out: poll would tell of its hang-up again and again.
  pollfd link{.fd = -1, .events = POLLIN, .revents = 0};
  if (link_.state() == Link::State::kConnecting) {
    link.fd = link_.fd();
    link.events = static_cast<short>(link_.WantsWrite() ? POLLIN | POLLOUT : POLLIN);
  } else if (acknowledgements_.flushing()) {
    link.fd = link_.fd();
    link.events = POLLOUT;
  } else if (MayRead() && !resting_) {
    link.fd = link_.fd();
  }
  std::array<pollfd, 3> waiting = {pollfd{.fd = stop_fd, .events = POLLIN, .revents = 0},
                                   pollfd{.fd = kafka_wakeup_.fd(), .events = POLLIN, .revents = 0},
                                   link};
  (void)poll(waiting.data(), waiting.size(), WaitMilliseconds());
  if (waiting[1].revents != 0) kafka_wakeup_.Clear();
  return {.link = waiting[2].revents != 0, .stop = waiting[0].revents != 0};
}

int Ingest::WaitMilliseconds() const {
  if (MayRead() && link_.HasDecryptedBytes()) return 0;
  base::SteadyTime until = next_tick_;
  for (const base::SteadyTime due : {link_.due(), refusal_over_at_}) {
    if (link_.state() == Link::State::kWaiting && due > now_) until = std::min(until, due);
  }
  if (window_.held() > 0 && !window_.closed() && !window_.failed()) {
    const milliseconds age = window_.MayWrite() ? Gather() : config_.window.max_age;
    until = std::min(until, now_ + age - window_.Age(now_));
  }
  if (resting_) until = std::min(until, rested_at_);
  const auto left = std::chrono::ceil<milliseconds>(until - now_);
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, kTick.count()));
}

milliseconds Ingest::Gather() const {
  return std::min(config_.window.gather, config_.window.max_age);
}

bool Ingest::MayRead() const {
  const bool connected = link_.state() == Link::State::kSubscribing || link_.up();
  if (!connected || acknowledgements_.flushing()) return false;
  return registering_ || (!window_.closed() && !window_.failed());
}

void Ingest::OnAccepted(const std::string& connection_id) {
  builder_.SetConnection(connection_id);
  canary_.Begin(connection_id);
}

// New partitions are used from a moment on at which Kafka has everything of before, so that what a
// device says first in its new partition is stored after what it said last in its old one.
void Ingest::BeginWindow() {
  Invariant(window_.outstanding() == 0, "a window begins before Kafka has all of the one before");
  builder_.SetPartitions(topic_watch_.partitions(kControlPlan), topic_watch_.partitions(kDataPlan));
}

void Ingest::OnMessage(const mqtt::IncomingMessage& message) {
  if (window_.held() == 0) BeginWindow();
  window_.Hold(message.payload.size() + message.topic.size() + kMessageOverhead, now_);
  if (registering_) window_.Fail();  // Kafka is away: it must come again
  if (window_.failed())
    return;  // one before it was not sent, so neither may this one be: it would overtake
  const Classified classified = builder_.Classify(message.topic);
  const auto ticket = [&] {
    return message.response_topic.empty() ? Receipts::kNone
                                          : receipts_.Ask(message, classified.client_id);
  };
  switch (classified.kind) {
    case MessageKind::kControl:
    case MessageKind::kData:
      if (canary_.MessageCame(now_)) next_tick_ = now_;
      if (message.expires) TellExpiring(classified);
      return Send(message, classified, ticket());
    case MessageKind::kCanary:
      if (canary_.IsOfAnotherProcess(message.payload)) link_.OtherProcessHeard();
      if (canary_.Came(message.payload, now_)) next_tick_ = now_;
      return;
    case MessageKind::kDeadLetter:
      if (classified.reason == device::DeadLetterReason::kBadTopic)
        link_.UnsubscribeFilterOf(message.topic);
      return SendDeadLetter(message, classified,
                            "the topic is not one that a device may publish to", ticket());
  }
}

void Ingest::TellExpiring(const Classified& classified) {
  instruments_.CountExpiring();
  logger_.Warn(expiring_limit_,
               "a device sets an expiry: where it runs out in the broker, order is lost",
               {{"client_id", classified.client_id}});
}

void Ingest::Send(const mqtt::IncomingMessage& message, const Classified& classified,
                  Receipts::Ticket ticket) {
  const base::Status sent = producer_->Send(builder_.Build(message, classified), ticket);
  if (sent) {
    window_.Sent();
    return instruments_.CountMessage(classified.kind, message.payload.size());
  }
  if (sent.error().code == base::ErrorCode::kTooLarge) {
    receipts_.MarkDeadLetter(ticket, device::DeadLetterReason::kTooLarge);
    return SendDeadLetter(message,
                          {.kind = MessageKind::kDeadLetter,
                           .client_id = classified.client_id,
                           .reason = device::DeadLetterReason::kTooLarge},
                          "the payload has " + std::to_string(message.payload.size()) +
                              " bytes, the limit of a record is " +
                              std::to_string(config_.max_message_bytes()),
                          ticket);
  }
  kafka_error_ = sent.error().message;
  receipts_.Withdraw(ticket);
  window_.Fail();
}

void Ingest::SendDeadLetter(const mqtt::IncomingMessage& message, const Classified& classified,
                            const std::string& detail, Receipts::Ticket ticket) {
  const device::DeadLetterReason reason = classified.reason;
  const base::Status sent = producer_->Send(
      builder_.BuildDeadLetter(message, reason, classified.client_id, detail), ticket);
  if (!sent) {
    receipts_.Withdraw(ticket);
    kafka_error_ = sent.error().message;
    return window_.Fail();
  }
  window_.Sent();
  instruments_.CountDeadLetter(reason);
  logger_.Warn(dead_letter_limit_, "message goes to the dead letters",
               {{"reason", device::DeadLetterReasonName(reason)}, {"topic", message.topic}});
}

void Ingest::ServeKafka() {
  producer_->Poll();
  if (window_.failed() || now_ >= next_tick_) {
    if (const std::string fatal = producer_->fatal(); !fatal.empty()) ReplaceProducer(fatal);
  }
}

void Ingest::ReplaceProducer(const std::string& why) {
  logger_.Error(replace_limit_, "Kafka's producer is given up and replaced", {{"reason", why}});
  instruments_.producers_replaced.Add();
  window_.Fail();
  if (link_.state() != Link::State::kWaiting) GiveWindowUp(Redelivery::kKafkaRefused, why);
  producer_.reset();  // reports on everything
  window_.Abandon();
  receipts_.Abandon();
  topic_watch_.LookAgain();
  MakeProducer();
}

// The acknowledgements of this window must not leave: the connection ends, and the broker will send
// all of it again.
void Ingest::GiveWindowUp(Redelivery why, const std::string& reason) {
  window_.Fail();
  acknowledgements_.Forget();
  link_.Abort("waits for Kafka: " + reason, false);
  canary_.End();
  if (why == Redelivery::kKafkaRefused) refusal_over_at_ = now_ + refusal_backoff_.Next();
  if (window_.held() == 0) return;
  instruments_.Redelivered(why);
  logger_.Warn(
      redelivery_limit_, "the broker is asked to send a window again",
      {{"messages", window_.held()}, {"unconfirmed", window_.outstanding()}, {"reason", reason}});
}

void Ingest::ServeLink(bool ready) {
  switch (link_.state()) {
    case Link::State::kWaiting:
      ServeNoConnection();
      break;
    case Link::State::kConnecting:
      if (ready) link_.ContinueConnect();
      break;
    case Link::State::kSubscribing:
    case Link::State::kUp:
      ServeConnection(ready);
      break;
  }
}

void Ingest::ServeNoConnection() {
  acknowledgements_.Forget();
  if (canary_.End()) heartbeat_.SendCanary(canary_.Farewell());
  resting_ = false;
  if (window_.held() > 0 && !window_.failed()) {
    window_.Fail();
    instruments_.Redelivered(Redelivery::kConnectionLost);
  }
  // Until Kafka has told the fate of every record: redelivered ones must not stand before their
  // first delivery.
  if (window_.outstanding() > 0) return;
  ResetWindow();
  const bool kafka_ready = KafkaProblem().empty();
  registering_ = !kafka_ready;
  const bool must_register = !registered_ && now_ - started_ >= kRegisterAfter;
  if (kafka_ready && now_ < refusal_over_at_) return;
  if (kafka_ready || must_register) link_.ConnectWhenDue();
}

void Ingest::ServeConnection(bool ready) {
  if (acknowledgements_.flushing()) {
    if (ready) Acknowledge();
    return;
  }
  if (registering_) return Register(ready);
  if (window_.failed()) {
    topic_watch_.LookAgain();
    return GiveWindowUp(Redelivery::kKafkaRefused, kafka_error_);
  }
  if (window_.Overdue(now_)) {
    return GiveWindowUp(Redelivery::kKafkaSilent, "Kafka has not confirmed all records in time");
  }
  AcknowledgeWhenConfirmed();
  const bool rested = resting_ && now_ >= rested_at_;
  if (rested) resting_ = false;
  if (MayRead() && (ready || rested || link_.HasDecryptedBytes())) {
    const bool was_up = link_.up();
    const int packets = link_.Read(kPacketsPerPass, [this] {
      return MayRead() && !window_.ShouldClose(now_) && !link_.MustWriteFirst();
    });
    // With much to do, some company for each message: fewer turns of everybody's wheels.
    pace_.Came(packets, now_);
    if (pace_.busy() && packets >= kBusyPass && !link_.HasDecryptedBytes() &&
        link_.BytesWaiting() < kEnough) {
      resting_ = true;
      rested_at_ = now_ + config_.window.rest;
    }
    if (link_.up() && !was_up) next_tick_ = now_;  // the first canary leaves at once
    AcknowledgeWhenConfirmed();
  }
  if (window_.ShouldClose(now_)) window_.Close(now_);
  registered_ = registered_ || link_.up();
}

// Kafka is away: makes sure that the broker keeps what devices say from now on, and takes nothing.
void Ingest::Register(bool ready) {
  AcknowledgeWhenConfirmed();
  if (!MayRead() || !(ready || link_.HasDecryptedBytes())) return;
  link_.Read(kPacketsPerPass,
             [this] { return MayRead() && !link_.up() && !link_.MustWriteFirst(); });
  AcknowledgeWhenConfirmed();
  if (!link_.up()) return;
  registered_ = true;
  GiveWindowUp(Redelivery::kKafkaSilent, KafkaProblem());
}

void Ingest::AcknowledgeWhenConfirmed() {
  if (acknowledgements_.flushing() || !window_.MayWrite()) return;
  const bool gathered = window_.Age(now_) >= Gather() || window_.closed();
  if (window_.held() > 0 ? gathered : link_.WantsWrite()) Acknowledge();
}

void Ingest::Acknowledge() {
  const std::optional<WindowEnd> end = window_.ShouldClose(now_);
  const base::Result<Acknowledgements::Flushed> flushed = acknowledgements_.Flush();
  if (!flushed) return;  // the connection is gone; ServeNoConnection goes on
  if (*flushed == Acknowledgements::Flushed::kPartly) return window_.Close(now_);
  if (window_.held() > 0) {
    instruments_.WindowEnded(end.value_or(WindowEnd::kConfirmed), window_.held(),
                             window_.Age(now_));
  }
  if (confirmed_ > 0 && !kafka_error_.empty()) {
    logger_.Info("Kafka takes records again");
    kafka_error_.clear();
    refusal_backoff_.Reset();
  }
  ResetWindow();
}

void Ingest::ResetWindow() {
  window_.Reset();
  confirmed_ = 0;
}

// What speaks against handing it records.
std::string Ingest::KafkaProblem() const {
  if (std::string topics = topic_watch_.problem(); !topics.empty()) return topics;
  if (std::string reason = producer_->unreachable(); !reason.empty()) return reason;
  if (window_.outstanding() > 0 && window_.Age(now_) > kSlowConfirmation) {
    return "Kafka has not confirmed " + std::to_string(window_.outstanding()) +
           " records for some seconds";
  }
  return "";
}

void Ingest::Tick() {
  next_tick_ = now_ + kTick;
  link_.Maintain();
  if (!MayRead()) canary_.Excuse(now_);
  if (link_.up()) {
    if (const auto payload = canary_.Due(now_)) heartbeat_.SendCanary(*payload);
  }
  instruments_.unconfirmed_records.Set(static_cast<double>(window_.outstanding()));
  instruments_.held_messages.Set(static_cast<double>(window_.held()));
  instruments_.receipts_waiting.Set(static_cast<double>(receipts_.waiting()));
  if (const auto dropped = heartbeat_.dropped()) instruments_.SetBrokerDropped(*dropped);
  const auto silence = heartbeat_.silence();
  instruments_.broker_heartbeat_age.Set(silence ? std::chrono::duration<double>(*silence).count()
                                                : -1);
  TellHealth();
}

void Ingest::TellHealth() {
  const auto tell = [this](const char* dependency, const std::string& problem) {
    problem.empty() ? health_.SetReady(dependency) : health_.SetNotReady(dependency, problem);
  };
  tell("mqtt", link_.problem());
  std::string canary = canary_.problem(now_);
  if (const std::string second = heartbeat_.problem(); !canary.empty() && !second.empty()) {
    canary += "; the second connection: " + second;
  }
  tell("canary", canary);
  const std::string kafka = KafkaProblem();
  tell("kafka", kafka.empty() ? kafka_error_ : kafka);
}

void Ingest::Finish() {
  const auto deadline = clock_.SteadyNow() + kFinishLimit;
  const auto connected = [this] {
    return link_.state() == Link::State::kSubscribing || link_.up();
  };
  // Nothing more is read. With Kafka away there is nothing to wait for.
  while (connected() && !window_.failed() && now_ < deadline) {
    if (window_.MayWrite()) {
      if (window_.held() > 0 || acknowledgements_.flushing()) Acknowledge();
      if (window_.held() == 0 && !acknowledgements_.flushing()) break;
    } else if (!producer_->unreachable().empty()) {
      break;
    }
    pollfd waiting{.fd = kafka_wakeup_.fd(), .events = POLLIN, .revents = 0};
    if (acknowledgements_.flushing()) waiting = {.fd = link_.fd(), .events = POLLOUT, .revents = 0};
    (void)poll(&waiting, 1, 100);
    kafka_wakeup_.Clear();
    producer_->Poll();
    now_ = clock_.SteadyNow();
  }
  if (connected() && window_.held() == 0 && window_.MayWrite() && !acknowledgements_.flushing()) {
    logger_.Info("ended with everything confirmed and acknowledged");
    return link_.Disconnect(kLongestFarewell);
  }
  if (window_.held() > 0) {
    instruments_.Redelivered(Redelivery::kStopped);
    logger_.Warn(
        "ended with messages that Kafka has not confirmed: the broker will send them again",
        {{"messages", window_.held()}});
  }
  link_.Abort("ended", false);
}

}  // namespace heliograph::ingest
