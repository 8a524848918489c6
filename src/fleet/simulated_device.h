// One device: its connection, its session, what it sends and what it answers.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/backoff.h"
#include "base/clock.h"
#include "device/topic.h"
#include "fleet/counters.h"
#include "fleet/options.h"
#include "fleet/outbox.h"
#include "fleet/recording.h"
#include "fleet/responder.h"
#include "mqtt/client.h"
#include "mqtt/shared_tls.h"

namespace heliograph::fleet {

// What all devices share; outlives them.
struct World {
  const Options& options;
  const device::TopicGrammar& topics;
  const Recording& recording;
  const base::Clock& clock;
  mqtt::SharedTls& tls;
  Counters& counters;
  std::string run;
  bool by_interval = false;  // telemetry by each device's clock, not by the fleet's rate
};

// Threads: one thread.
class SimulatedDevice final : public mqtt::ClientEvents {
 public:
  // `index` of the fleet spreads telemetry over time. Throws StartupError when its certificate is
  // missing or is another's.
  SimulatedDevice(World& world, std::string name, std::size_t index);
  ~SimulatedDevice() override;

  enum class State { kAway, kConnecting, kOnline, kLeaving };
  State state() const noexcept { return state_; }
  const std::string& name() const noexcept { return name_; }
  int fd() const noexcept { return client_.fd(); }
  bool WantsWrite() const { return client_.WantsWrite(); }
  // When it wants to be connected; nothing when it is, or is told to stay away.
  std::optional<base::SteadyTime> ConnectAt() const;
  bool WasOnline() const noexcept { return was_online_; }

  void StartConnecting();
  void OnReady(bool readable);  // its socket can be read or written
  void Flush();                 // writes what is queued, as far as the socket takes it
  void OnSecond();              // keepalive
  void OnTimer(base::SteadyTime now);
  std::optional<base::SteadyTime> NextTimer() const;  // when OnTimer has something to do

  bool CanSend() const;  // telemetry: online, and not too much on the way
  bool IsHalfFree()
      const noexcept {  // of what may be on the way: time for a batch, not for one more
    return 2 * telemetry_on_the_way_ <= static_cast<std::size_t>(world_.options.in_flight);
  }
  // Sends one; true if it is a new one, false if it was due again.
  bool SendOne();
  bool HasDue() const;      // numbered messages to be sent again
  bool HasRoom() const;     // for one more that waits for its receipt
  bool IsFinished() const;  // has sent options.messages
  // Telemetry without an acknowledgement, or receipt if it asks for them: on the way or kept.
  std::size_t Outstanding() const;
  void StopTelemetry() noexcept { telemetry_stopped_ = true; }

  void GoOnline();                // and stay so, reconnecting when the connection is lost
  void GoOffline();               // says so, waits for acknowledgements, disconnects
  void Die();                     // without a word; stays away
  void Flap(std::int64_t times);  // loses its connection so many times

  const Outbox& outbox(device::Channel channel) const {
    return outboxes_[static_cast<std::size_t>(channel)];
  }

 private:
  enum class Kind { kTelemetry, kNumbered, kAnswer };
  struct OnTheWay {
    int message_id = 0;
    Kind kind = Kind::kTelemetry;
    device::Channel channel = device::Channel::kData;
    std::uint64_t sequence = 0;
  };
  struct Later {
    base::SteadyTime due;
    Reply reply;
  };

  void OnConnected(int reason, bool session_present) override;
  void OnSubscribed(int message_id, std::span<const int> granted) override;
  void OnMessage(const mqtt::IncomingMessage& message) override;
  void OnPublished(int message_id, int reason) override;

  void ComeOnline();
  void OnReceipt(const mqtt::IncomingMessage& message);
  void ResendUnreceipted();
  void React(Reaction reaction);
  void CarryOut();
  void FinishLeaving(base::SteadyTime now);
  void Ended(const std::string& why);
  void Forget();
  void Settle(const OnTheWay& one, int reason);
  bool Publish(device::Channel channel, std::string payload, int qos, Kind kind,
               std::uint64_t sequence);
  std::pair<device::Channel, Outbox*> NextOutbox();
  mqtt::ConnectionConfig ConfigFor() const;

  World& world_;
  const std::string name_;
  const std::string control_in_;
  const std::string out_[2];  // topics, by channel
  const mqtt::ConnectionConfig config_;
  mqtt::Client client_;
  Responder responder_;
  base::Backoff backoff_;

  State state_ = State::kAway;
  bool wanted_ = true;
  bool was_online_ = false;
  bool handshake_done_ = false;
  bool telemetry_stopped_ = false;
  int subscriptions_ = 0;
  std::string session_id_;
  base::SteadyTime connect_at_{};
  base::SteadyTime online_since_{};
  base::SteadyTime leave_by_{};
  base::SteadyTime next_telemetry_{};
  std::chrono::milliseconds first_telemetry_{0};
  std::int64_t flaps_ = 0;
  std::optional<Reaction> pending_;  // to be carried out once we are out of the callback

  std::size_t sample_ = 0;
  std::uint64_t sent_ = 0;
  std::deque<OnTheWay> on_the_way_;
  std::size_t telemetry_on_the_way_ = 0;
  std::vector<Later> later_;
  Outbox outboxes_[2];  // by channel
  bool control_next_ = false;
};

}  // namespace heliograph::fleet
