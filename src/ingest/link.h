// The main connection: the persistent session in which the broker keeps what devices send.
// Connects, subscribes, tells a lost session and a session that somebody else takes from a mere
// outage. Owns no rule about acknowledgements.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "base/backoff.h"
#include "base/clock.h"
#include "device/topic.h"
#include "ingest/acknowledgements.h"
#include "ingest/config.h"
#include "ingest/instruments.h"
#include "ingest/takeover.h"
#include "log/log.h"
#include "mqtt/client.h"

namespace heliograph::ingest {

// Called from inside Link::Read.
class MessageSink {
 public:
  virtual ~MessageSink() = default;
  // The broker accepted a connection; the messages that follow come over it.
  virtual void OnAccepted(const std::string& connection_id) = 0;
  virtual void OnMessage(const mqtt::IncomingMessage& message) = 0;
};

// Threads: one thread.
class Link final : public Outlet, private mqtt::ClientEvents {
 public:
  enum class State { kWaiting, kConnecting, kSubscribing, kUp };

  // Throws StartupError as mqtt::Client.
  Link(const MqttConfig& config, const device::TopicGrammar& grammar, MessageSink& sink,
       Instruments& instruments, const base::Clock& clock);

  State state() const { return state_; }
  bool up() const { return state_ == State::kUp; }  // subscribed to all filters
  std::string problem() const;                      // "" while up

  // Begins to connect when the wait before it is over. Precondition: nothing of an earlier
  // connection is unsettled.
  void ConnectWhenDue();
  // While kWaiting: when ConnectWhenDue has something to do.
  base::SteadyTime due() const { return due_; }
  // While kConnecting: goes on with the handshakes.
  void ContinueConnect();

  // Reads at most about `most` packets, as long as there are bytes and `go_on` says so. How many.
  template <class GoOn>
  int Read(int most, const GoOn& go_on) {
    int packets = 0;
    while (packets < most && client_.fd() >= 0 && go_on()) {
      ++packets;
      if (const base::Status read = client_.ReadPacket(); !read) {
        Lost(read.error().message);
        break;
      }
      if (!client_.HasDecryptedBytes()) break;
    }
    return packets;
  }
  // SUBSCRIBE is queued and not yet out: write before reading, or the messages of the session's
  // earlier life hold it up.
  bool MustWriteFirst() const { return subscribe_queued_; }
  bool HasDecryptedBytes() const { return client_.HasDecryptedBytes(); }
  std::size_t BytesWaiting() const { return client_.BytesWaiting(); }
  int fd() const { return client_.fd(); }

  // Outlet. After an error the connection has been given up.
  bool WantsWrite() const override { return client_.WantsWrite(); }
  base::Status WritePending() override;

  void Maintain();  // keepalive; about once a second

  // The topic belongs to a filter that is no longer configured, if it has the form of one: ends
  // that subscription.
  void UnsubscribeFilterOf(std::string_view topic);

  // Another process with our client id is there.
  void OtherProcessHeard() { takeover_.Heard(); }

  // Gives the connection up without writing, so that what is held comes again. `why` is for people;
  // `wait`: before the next.
  void Abort(const std::string& why, bool wait);
  // Ends it cleanly. Precondition: nothing is held.
  void Disconnect(std::chrono::milliseconds longest) { client_.Disconnect(longest); }

 private:
  void OnConnected(int reason, bool session_present) override;
  void OnSubscribed(int message_id, std::span<const int> granted) override;
  void OnMessage(const mqtt::IncomingMessage& message) override { sink_.OnMessage(message); }
  void OnPublished(int /*message_id*/, int /*reason*/) override {}

  void Lost(const std::string& why);
  void WaitFor(std::chrono::milliseconds wait);

  const MqttConfig& config_;
  const device::TopicGrammar& grammar_;
  MessageSink& sink_;
  Instruments& instruments_;
  const base::Clock& clock_;
  const log::Logger logger_{"ingest"};
  log::RateLimit lost_limit_{std::chrono::seconds(10)};

  State state_ = State::kWaiting;
  base::SteadyTime due_{};
  base::Backoff backoff_;
  Takeover takeover_;
  std::string problem_ = "not connected yet";
  bool had_session_ = false;  // this process has been connected before
  bool subscribe_queued_ = false;
  std::set<int> unanswered_;            // SUBSCRIBEs
  std::set<std::string> unsubscribed_;  // filters of an earlier configuration
  mqtt::Client client_;                 // last: its callbacks use the rest
};

}  // namespace heliograph::ingest
