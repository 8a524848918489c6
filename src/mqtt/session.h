// A connection that keeps itself up on a thread of its own: reconnects with jittered backoff,
// subscribes again, publishes. For everything but ingest's main connection (window loop) and the
// fleet (thousands in one loop).
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mqtt/client.h"

namespace heliograph::mqtt {

enum class PublishOutcome {
  kAcknowledged,           // PUBACK with success; for QoS 0: written to the socket
  kNoMatchingSubscribers,  // PUBACK 0x10: the broker knows no live or kept session for that topic
  kRefused,  // PUBACK with an error reason, or a message that MQTT cannot carry (0x90 topic, 0x95
             // size)
  kConnectionLost,  // no PUBACK before the connection ended: it may or may not have been delivered
};
using PublishCallback =
    std::function<void(PublishOutcome, int reason)>;  // on the session's thread; must not block

struct SessionOptions {
  ClientOptions client;
  // Optional, on the session's thread, before each connect: the client id for it, or why there must
  // be none now; then it is asked again later. May wait a few seconds.
  std::function<base::Result<std::string>()> identify = {};
  std::string thread_name;                 // at most 15 bytes
  std::vector<std::string> subscriptions;  // QoS 0, made again at each connect
  bool with_retained = false;  // messages that are there already are sent at each connect
  std::function<void(const IncomingMessage&)> on_message;  // on the session's thread
  // Optional, on the session's thread: after each connect, and with the reason after each failure.
  std::function<void(bool connected, const std::string& why)> on_state;
  std::size_t max_in_flight = 10'000;  // more are refused with kUnavailable; at most 50,000
};

// Threads: any thread, but the destructor, which no callback may cause.
class Session {
 public:
  // Throws StartupError as Client; then starts the thread and does not wait for the broker.
  Session(const ConnectionConfig& config, SessionOptions options);
  ~Session();  // a clean DISCONNECT, for at most 1 s; what is in flight is reported kConnectionLost
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  bool connected() const noexcept;  // the broker has accepted us and every subscription
  std::string last_error() const;   // why it is not connected; "" when it is
  // Ends the connection as if it were lost; the next one is under what `identify` says then.
  void Reconnect() noexcept;

  // kUnavailable: not connected, or too many in flight. kConflict: connected under another client
  // id than `under`, where that is given. If ok, `on_done` is called exactly once. Never resent
  // after a reconnect: the caller decides.
  base::Status Publish(OutgoingMessage message, PublishCallback on_done,
                       std::string_view under = {});

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace heliograph::mqtt
