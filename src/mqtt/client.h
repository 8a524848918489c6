// One MQTT 5 connection over mutual TLS: libmosquitto without its threads, its loop or its
// reconnect logic.
//
// The caller owns the loop: poll fd(), then ReadPacket, WritePending, Maintain. Nothing is written
// to the socket except by WritePending (and by the TLS handshake); that is what ingest's
// acknowledgement window stands on: libmosquitto queues the PUBACK before it calls OnMessage, and
// it leaves at the next WritePending, not earlier.
//
// Every connection is a new object of libmosquitto's: what an earlier one held (acknowledgements,
// publishes without a PUBACK) is gone, and nothing is sent again by itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mqtt/address.h"
#include "mqtt/config.h"
#include "tls/certificate.h"

struct mosquitto;
struct ssl_st;

namespace heliograph::tls {
class ClientContext;
class Identity;
}  // namespace heliograph::tls

namespace heliograph::mqtt {

class SharedTls;

struct FreeMosquitto {
  void operator()(mosquitto* handle) const noexcept;
};
using UniqueMosquitto = std::unique_ptr<mosquitto, FreeMosquitto>;

// Views that live until the callback returns.
struct IncomingMessage {
  std::string_view topic;
  std::string_view payload;
  int qos = 0;
  bool retain = false;
  std::string_view response_topic;    // MQTT 5; empty = none
  std::string_view correlation_data;  // MQTT 5; empty = none
  bool expires = false;               // MQTT 5: it has a Message Expiry Interval
};

struct OutgoingMessage {
  std::string topic = {};
  std::string payload = {};
  int qos = 1;  // 0 or 1
  bool retain = false;
  std::optional<std::chrono::seconds> expiry = {};  // MQTT 5 Message Expiry Interval
  std::string response_topic = {};
  std::string correlation_data = {};
};

// MQTT 5 reason codes that somebody decides on; others are handed through as their number.
inline constexpr int kReasonSuccess = 0x00;
inline constexpr int kReasonNoMatchingSubscribers = 0x10;
inline constexpr int kReasonFailure = 0x80;  // this and above: an error
inline constexpr int kReasonNotAuthorized = 0x87;

std::string_view ReasonText(int reason);  // "Not authorized"

// Called from inside ReadPacket, WritePending and Maintain, on their thread. May call the client,
// but not Connect, StartConnect, Disconnect or its destructor.
class ClientEvents {
 public:
  virtual ~ClientEvents() = default;
  virtual void OnConnected(int reason, bool session_present) = 0;  // CONNACK; reason 0 = accepted
  virtual void OnSubscribed(int message_id,
                            std::span<const int> granted) = 0;  // a QoS, or >= 0x80 = refused
  virtual void OnMessage(const IncomingMessage& message) = 0;
  virtual void OnPublished(int message_id, int reason) = 0;  // PUBACK (QoS 1), or written (QoS 0)
};

// Threads: one thread.
class Client {
 public:
  // Throws StartupError when a file of the configuration is missing or wrong. `config` must outlive
  // the client. The certificate is read again at each connect, so a renewed one is taken without a
  // restart.
  Client(const ConnectionConfig& config, ClientOptions options, ClientEvents& events);
  // For thousands of clients on one thread: `shared` instead of config.ca_file; the certificate is
  // read once.
  Client(const ConnectionConfig& config, ClientOptions options, ClientEvents& events,
         SharedTls& shared);
  ~Client();  // as Abort
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Connects TCP and TLS and queues CONNECT; OnConnected tells the rest (a broker that does not
  // answer it within connect_timeout makes Maintain fail). Blocks for at most connect_timeout.
  // Tries the next of config.hosts at each call, and all addresses of that host.
  base::Status Connect();
  // The same without blocking, for one address a call (but a look-up of a host's name blocks for at
  // most 2 s). Then ContinueConnect whenever fd() is readable, or writable while
  // WantsWrite(), until it answers true.
  base::Status StartConnect();
  base::Result<bool> ContinueConnect();
  // Whether the next StartConnect tries another address of the same host: there is no need to wait
  // before it.
  bool HasMoreAddresses() const noexcept { return !addresses_.empty(); }

  // Before the next Connect; for a will or a name that differs from connection to connection.
  void SetWill(Will will) { options_.will = std::move(will); }
  void SetClientId(std::string client_id) { options_.client_id = std::move(client_id); }

  // Ends the connection without writing: acknowledgements that are held are never sent.
  void Abort() noexcept;
  // A clean DISCONNECT: first flushes what is queued, held acknowledgements too. Blocks for at most
  // `longest`, and connect_timeout.
  void Disconnect(std::chrono::milliseconds longest = std::chrono::milliseconds::max());

  int fd() const noexcept;  // -1 when there is no connection
  bool connected() const noexcept {
    return accepted_;
  }  // the broker has accepted us and the connection has not ended
  bool HasDecryptedBytes()
      const;  // bytes that poll() does not see (TLS): call ReadPacket before polling again
  std::size_t BytesWaiting() const;  // in the socket, still encrypted
  bool WantsWrite() const;

  base::Status ReadPacket();    // at most about one packet; kUnavailable: the connection has ended
                                // (why is in the message)
  base::Status WritePending();  // may be partial: look at WantsWrite()
  base::Status Maintain();      // keepalive and the broker's silence; call about once a second

  // Once accepted, kUnavailable before. Subscribing takes QoS 0 or 1; retained messages that are
  // there already are sent only where `with_retained`, and the retain flag is handed on as it was
  // published. The message id for OnSubscribed.
  base::Result<int> Subscribe(const std::string& filter, int qos, bool with_retained = false);
  base::Status Unsubscribe(const std::string& filter);
  base::Result<int> Publish(const OutgoingMessage& message);  // queued; message id for OnPublished

  const tls::Certificate& certificate() const noexcept;  // ours, as last read

 private:
  struct Callbacks;
  enum class Stage { kNone, kTcp, kTls, kMqtt };

  base::Status NextHost();
  base::Status Open(const std::string& address);
  base::Status WaitForHandshake(std::chrono::steady_clock::time_point deadline);
  bool IsHandshakeFinished() const;
  ssl_st* Ssl() const noexcept;  // null before and after a connection
  base::Result<bool> ContinueTcp();
  base::Result<bool> ContinueTls();
  void ReadIdentityAgain();
  base::Status AfterCall(int code);
  base::Error Ended(const std::string& why);
  std::string Why(int code) const;
  std::string WhyNoHandshake(int code);
  std::string Silence() const;
  std::string Place() const;
  void Drop() noexcept;

  const ConnectionConfig& config_;
  ClientOptions options_;
  ClientEvents& events_;
  std::unique_ptr<tls::ClientContext> own_context_;
  tls::ClientContext& context_;
  std::shared_ptr<const tls::Identity> identity_;

  std::size_t next_host_ = 0;
  HostPort host_;
  std::vector<std::string> addresses_;  // of host_, those not tried yet, last first
  std::string address_;

  UniqueMosquitto handle_;
  Stage stage_ = Stage::kNone;
  std::chrono::steady_clock::time_point answer_deadline_;
  bool in_call_ = false;  // inside libmosquitto: its object must not be destroyed
  bool abort_asked_ = false;
  bool accepted_ = false;
  bool drained_ = true;  // the last read found no more whole record
  int connect_errno_ = 0;
  int connect_reason_ = 0;                // of a CONNACK that refused
  std::optional<int> disconnect_reason_;  // of a DISCONNECT from the broker
  std::string library_error_;             // the last line that libmosquitto logged as an error
};

}  // namespace heliograph::mqtt
