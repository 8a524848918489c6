#include "ingest/link.h"

#include <algorithm>
#include <array>

#include "base/uuid.h"

namespace heliograph::ingest {
namespace {

using std::chrono::milliseconds;

constexpr int kQos = 1;
constexpr std::size_t kMostUnsubscribed = 16;

mqtt::ClientOptions Options(const MqttConfig& config) {
  return {.client_id = config.client_id,
          .clean_start = false,
          .session_expiry = std::chrono::duration_cast<std::chrono::seconds>(config.session_expiry),
          .receive_maximum = static_cast<std::uint16_t>(config.receive_maximum),
          // Not stated: the broker drops what would be larger, and a message can grow by a few
          // bytes on its way through.
          .maximum_packet_size = 0,
          .will = std::nullopt};
}

std::string NewConnectionId() {
  std::string id = base::NewUuid();
  std::erase(id, '-');
  return id.substr(0, 16);
}

}  // namespace

Link::Link(const MqttConfig& config, const device::TopicGrammar& grammar, MessageSink& sink,
           Instruments& instruments, const base::Clock& clock)
    : config_(config),
      grammar_(grammar),
      sink_(sink),
      instruments_(instruments),
      clock_(clock),
      backoff_(config.connection.backoff_first, config.connection.backoff_longest),
      takeover_(config.takeover_backoff),
      client_(config.connection, Options(config), *this) {}

std::string Link::problem() const { return up() ? "" : problem_; }

void Link::ConnectWhenDue() {
  if (state_ != State::kWaiting || clock_.SteadyNow() < due_) return;
  state_ = State::kConnecting;
  unanswered_.clear();
  subscribe_queued_ = false;
  if (const base::Status started = client_.StartConnect(); !started) Lost(started.error().message);
}

void Link::ContinueConnect() {
  const base::Result<bool> done = client_.ContinueConnect();
  if (!done) return Lost(done.error().message);
  if (*done) state_ = State::kSubscribing;  // CONNECT is queued; OnConnected goes on
}

void Link::OnConnected(int reason, bool session_present) {
  if (reason != mqtt::kReasonSuccess) return;  // the client ends the connection, and says why
  sink_.OnAccepted(NewConnectionId());
  takeover_.Accepted(clock_.SteadyNow());
  instruments_.connects.Add();
  if (!session_present) instruments_.sessions_begun.Add();
  if (!session_present && had_session_) {
    instruments_.sessions_lost.Add();
    logger_.Error("the broker has forgotten our session: messages that waited in it are lost",
                  {{"client_id", config_.client_id}});
  } else if (!session_present) {
    logger_.Warn("the broker had no session for us: the first start, or it has forgotten one",
                 {{"client_id", config_.client_id}});
  }
  had_session_ = true;
  // At every connect: a process that died between CONNACK and SUBSCRIBE leaves a session that hears
  // nothing.
  for (const device::Channel channel : {device::Channel::kControl, device::Channel::kData}) {
    const base::Result<int> id = client_.Subscribe(grammar_.OutFilter(channel), kQos);
    if (!id) return Abort("cannot subscribe: " + id.error().message, true);
    unanswered_.insert(*id);
    subscribe_queued_ = true;
  }
}

void Link::OnSubscribed(int message_id, std::span<const int> granted) {
  const bool refused =
      std::any_of(granted.begin(), granted.end(), [](int code) { return code != kQos; });
  if (refused) {
    logger_.Error(lost_limit_, "the broker refused a subscription", {{"code", granted.front()}});
    return Abort("the broker refused a subscription", true);
  }
  unanswered_.erase(message_id);
  if (!unanswered_.empty() || state_ != State::kSubscribing) return;
  state_ = State::kUp;
  problem_.clear();
  if (!takeover_.suspected()) backoff_.Reset();
  instruments_.connected.Set(1);
  logger_.Info("subscribed", {{"prefix", grammar_.prefix()}});
}

base::Status Link::WritePending() {
  base::Status written = client_.WritePending();
  if (!written) Lost(written.error().message);
  if (!client_.WantsWrite()) subscribe_queued_ = false;
  return written;
}

void Link::Maintain() {
  if (state_ == State::kWaiting) return;
  if (const base::Status maintained = client_.Maintain(); !maintained)
    return Lost(maintained.error().message);
  if (up()) takeover_.StillConnected(clock_.SteadyNow());
}

void Link::UnsubscribeFilterOf(std::string_view topic) {
  for (const device::Channel channel : {device::Channel::kControl, device::Channel::kData}) {
    const std::string ending = "/" + std::string(device::ChannelName(channel)) + "/out";
    if (!topic.ends_with(ending)) continue;
    const std::string_view rest = topic.substr(0, topic.size() - ending.size());
    const std::size_t slash = rest.rfind('/');
    if (slash == rest.npos || slash == 0) return;
    const std::string filter = std::string(rest.substr(0, slash)) + "/+" + ending;
    if (filter == grammar_.OutFilter(channel) || unsubscribed_.size() >= kMostUnsubscribed) return;
    if (!unsubscribed_.insert(filter).second) return;
    logger_.Warn("unsubscribing from a filter of an earlier configuration", {{"filter", filter}});
    (void)client_.Unsubscribe(filter);
  }
}

void Link::Abort(const std::string& why, bool wait) {
  client_.Abort();
  state_ = State::kWaiting;
  problem_ = why;
  instruments_.connected.Set(0);
  WaitFor(wait ? backoff_.Next() : milliseconds(0));
}

// The connection ended, or could not be made; not by us.
void Link::Lost(const std::string& why) {
  if (state_ == State::kWaiting) return;  // we had given it up already
  const bool was_accepted = state_ == State::kUp || !unanswered_.empty();
  const bool taken = was_accepted && takeover_.Ended(clock_.SteadyNow());
  Abort(why, true);
  instruments_.connections_lost.Add();
  if (!taken) {
    // While there is another address of the same host there is nothing to wait for.
    if (client_.HasMoreAddresses()) due_ = clock_.SteadyNow();
    logger_.Warn(lost_limit_, "connection to the broker lost", {{"reason", why}});
    return;
  }
  const milliseconds wait = takeover_.Wait();
  WaitFor(wait);
  instruments_.takeovers.Add();
  problem_ = "another process uses the client id " + config_.client_id + " and takes the session";
  logger_.Error(problem_,
                {{"wait_s", std::chrono::duration_cast<std::chrono::seconds>(wait).count()}});
}

void Link::WaitFor(milliseconds wait) { due_ = clock_.SteadyNow() + wait; }

}  // namespace heliograph::ingest
