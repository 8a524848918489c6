#include "mqtt/session.h"

#include <poll.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/backoff.h"
#include "base/thread_name.h"
#include "base/wakeup.h"
#include "log/log.h"
#include "mqtt/wait.h"

namespace heliograph::mqtt {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kMostInFlight = 50'000;  // below the 65,535 message ids of MQTT
constexpr milliseconds kMaintenance{1000};
constexpr milliseconds kLongestFarewell{1000};  // a broker that takes longer is not well anyway
constexpr int kPacketsPerTurn = 100;            // then publishes get their turn
constexpr int kReasonTopicNameInvalid = 0x90;
constexpr int kReasonPacketTooLarge = 0x95;

PublishOutcome OutcomeOf(int reason) {
  if (reason == kReasonNoMatchingSubscribers) return PublishOutcome::kNoMatchingSubscribers;
  return reason >= kReasonFailure ? PublishOutcome::kRefused : PublishOutcome::kAcknowledged;
}

struct Queued {
  OutgoingMessage message;
  PublishCallback on_done;
};

}  // namespace

// Threads: Publish, connected and last_error from any; the rest on the session's own.
class Session::Loop final : public ClientEvents {
 public:
  Loop(const ConnectionConfig& config, SessionOptions options)
      : options_(std::move(options)),
        max_in_flight_(std::min(options_.max_in_flight, kMostInFlight)),
        longest_backoff_(config.backoff_longest),
        backoff_(config.backoff_first, config.backoff_longest),
        client_id_(options_.client.client_id),
        client_(config, options_.client, *this),
        thread_([this] { Run(); }) {}

  ~Loop() override {
    stop_ = true;
    wakeup_.Notify();
    thread_.join();
  }

  bool connected() const noexcept { return connected_; }

  void Reconnect() noexcept {
    reconnect_ = true;
    wakeup_.Notify();
  }

  std::string last_error() const {
    const std::lock_guard lock(mutex_);
    return connected_ ? "" : last_error_;
  }

  base::Status Publish(OutgoingMessage message, PublishCallback on_done, std::string_view under) {
    const std::lock_guard lock(mutex_);
    if (!connected_) {
      return base::MakeError(base::ErrorCode::kUnavailable,
                             "no connection to the broker: " + last_error_);
    }
    if (!under.empty() && under != client_id_) {
      return base::MakeError(base::ErrorCode::kConflict, "connected under another client id");
    }
    if (unfinished_ >= max_in_flight_) {
      return base::MakeError(
          base::ErrorCode::kUnavailable,
          "the broker has not acknowledged " + std::to_string(unfinished_) + " earlier messages");
    }
    ++unfinished_;
    queue_.push_back({std::move(message), std::move(on_done)});
    if (queue_.size() == 1) wakeup_.Notify();
    return {};
  }

  void OnConnected(int reason, bool) override {
    if (reason != kReasonSuccess) return;
    for (const std::string& filter : options_.subscriptions) {
      const auto message_id = client_.Subscribe(filter, 0, options_.with_retained);
      if (!message_id) return Refuse(message_id.error().message);
      awaited_.insert(*message_id);
    }
    if (awaited_.empty()) SetUp();
  }

  void OnSubscribed(int message_id, std::span<const int> granted) override {
    if (std::any_of(granted.begin(), granted.end(),
                    [](int code) { return code >= kReasonFailure; })) {
      return Refuse("the broker refused a subscription");
    }
    if (awaited_.erase(message_id) == 1 && awaited_.empty()) SetUp();
  }

  void OnMessage(const IncomingMessage& message) override {
    if (options_.on_message) options_.on_message(message);
  }

  void OnPublished(int message_id, int reason) override {
    const auto found = in_flight_.find(message_id);
    if (found == in_flight_.end()) return;
    const PublishCallback on_done = std::move(found->second);
    in_flight_.erase(found);
    Finish(on_done, OutcomeOf(reason), reason);
  }

 private:
  void Run() {
    base::NameThisThread(options_.thread_name.c_str());
    while (!stop_) {
      reconnect_ = false;
      base::Status status = Identify();
      const bool identified = status.has_value();
      if (status) status = client_.StartConnect();
      if (status) status = Converse();
      if (stop_) break;
      SetDown(status.error().message);
      if (!identified || !client_.HasMoreAddresses()) Rest(backoff_.Next());
    }
    client_.Disconnect(kLongestFarewell);
    FailAll();
  }

  base::Status Identify() {
    if (!options_.identify) return {};
    auto client_id = options_.identify();
    if (!client_id) return std::move(client_id).error();
    client_.SetClientId(*client_id);
    const std::lock_guard lock(mutex_);
    client_id_ = *std::move(client_id);
    return {};
  }

  // Until the connection ends, for the reason returned, or a stop.
  base::Status Converse() {
    bool handshake_done = false;
    auto next_maintenance = steady_clock::now() + kMaintenance;
    while (!stop_) {
      const bool read_now = Wait(next_maintenance);
      if (reconnect_) {
        client_.Abort();
        return base::MakeError(base::ErrorCode::kUnavailable, "asked to connect anew");
      }
      base::Status status;
      if (!handshake_done) {
        const auto done = client_.ContinueConnect();
        if (!done) return done.error();
        handshake_done = *done;
      }
      if (handshake_done) status = Exchange(read_now);
      if (status && steady_clock::now() >= next_maintenance) {
        next_maintenance = steady_clock::now() + kMaintenance;
        status = client_.Maintain();
      }
      if (!status)
        return refusal_.empty() ? status : base::MakeError(base::ErrorCode::kUnavailable, refusal_);
    }
    return {};
  }

  // Whether there is something to read.
  bool Wait(steady_clock::time_point until) {
    const short events = static_cast<short>(client_.WantsWrite() ? POLLIN | POLLOUT : POLLIN);
    pollfd watched[] = {{client_.fd(), events, 0}, {wakeup_.fd(), POLLIN, 0}};
    const bool read_ahead = client_.HasDecryptedBytes();
    ::poll(watched, 2, read_ahead ? 0 : static_cast<int>(Until(until).count()));
    if (watched[1].revents != 0) wakeup_.Clear();
    return read_ahead || (watched[0].revents & ~POLLOUT) != 0;
  }

  base::Status Exchange(bool read) {
    for (int i = 0; read && i < kPacketsPerTurn; ++i) {
      if (base::Status status = client_.ReadPacket(); !status) return status;
      read = client_.HasDecryptedBytes();
    }
    HandOver();
    return client_.WantsWrite() ? client_.WritePending() : base::Status();
  }

  void HandOver() {
    std::deque<Queued> batch;
    {
      const std::lock_guard lock(mutex_);
      batch.swap(queue_);
    }
    for (Queued& one : batch) {
      const auto message_id = client_.Publish(one.message);
      if (message_id) {
        in_flight_.emplace(*message_id, std::move(one.on_done));
      } else {
        RefuseLocally(one.on_done, message_id.error().code);
      }
    }
  }

  void RefuseLocally(const PublishCallback& on_done, base::ErrorCode code) {
    if (code == base::ErrorCode::kUnavailable) {
      return Finish(on_done, PublishOutcome::kConnectionLost, 0);
    }
    const bool too_large = code == base::ErrorCode::kTooLarge;
    Finish(on_done, PublishOutcome::kRefused,
           too_large ? kReasonPacketTooLarge : kReasonTopicNameInvalid);
  }

  void Finish(const PublishCallback& on_done, PublishOutcome outcome, int reason) {
    {
      const std::lock_guard lock(mutex_);
      --unfinished_;
    }
    if (on_done) on_done(outcome, reason);
  }

  void FailAll() {
    std::deque<Queued> queued;
    {
      const std::lock_guard lock(mutex_);
      connected_ = false;
      queued.swap(queue_);
    }
    const auto in_flight = std::exchange(in_flight_, {});
    for (const auto& [message_id, on_done] : in_flight) {
      Finish(on_done, PublishOutcome::kConnectionLost, 0);
    }
    for (const Queued& one : queued) Finish(one.on_done, PublishOutcome::kConnectionLost, 0);
  }

  void Refuse(const std::string& why) {
    refusal_ = why;
    client_.Abort();
  }

  void SetUp() {
    {
      const std::lock_guard lock(mutex_);
      connected_ = true;
      last_error_.clear();
    }
    up_since_ = steady_clock::now();
    kLog.Info("connected to the broker", {{"client_id", client_id_}});
    if (options_.on_state) options_.on_state(true, "");
  }

  void SetDown(const std::string& why) {
    const bool was_up = connected_;
    {
      const std::lock_guard lock(mutex_);
      connected_ = false;
      last_error_ = why;
    }
    awaited_.clear();
    refusal_.clear();
    FailAll();
    // A broker that accepts and closes again at once must not be asked ten times a second.
    if (was_up && steady_clock::now() - up_since_ > longest_backoff_) backoff_.Reset();
    if (was_up) {
      kLog.Warn("connection to the broker lost", {{"reason", why}});
    } else {
      kLog.Warn(repeated_, "no connection to the broker", {{"reason", why}});
    }
    if (options_.on_state) options_.on_state(false, why);
  }

  void Rest(milliseconds time) {
    const auto until = steady_clock::now() + time;
    while (!stop_ && Poll(wakeup_.fd(), POLLIN, Until(until))) wakeup_.Clear();
  }

  const log::Logger kLog{"mqtt"};
  log::RateLimit repeated_{std::chrono::seconds(10)};
  const SessionOptions options_;
  const std::size_t max_in_flight_;
  const milliseconds longest_backoff_;
  base::Backoff backoff_;
  base::Wakeup wakeup_;
  std::atomic<bool> stop_ = false;
  std::atomic<bool> reconnect_ = false;
  std::atomic<bool> connected_ = false;  // written under mutex_

  mutable std::mutex mutex_;
  std::deque<Queued> queue_;                      // guarded by mutex_
  std::size_t unfinished_ = 0;                    // guarded by mutex_: queued and in flight
  std::string last_error_ = "not connected yet";  // guarded by mutex_
  std::string client_id_;  // written under mutex_, on the session's thread: of this connection, or
                           // the next

  std::unordered_map<int, PublishCallback> in_flight_;  // by message id
  std::unordered_set<int> awaited_;                     // subscriptions without a SUBACK
  std::string refusal_;                                 // why we ended the connection ourselves
  steady_clock::time_point up_since_;
  Client client_;
  std::thread thread_;  // last: it uses everything above
};

Session::Session(const ConnectionConfig& config, SessionOptions options)
    : loop_(std::make_unique<Loop>(config, std::move(options))) {}

Session::~Session() = default;

bool Session::connected() const noexcept { return loop_->connected(); }

void Session::Reconnect() noexcept { loop_->Reconnect(); }

std::string Session::last_error() const { return loop_->last_error(); }

base::Status Session::Publish(OutgoingMessage message, PublishCallback on_done,
                              std::string_view under) {
  return loop_->Publish(std::move(message), std::move(on_done), under);
}

}  // namespace heliograph::mqtt
