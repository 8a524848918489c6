#include "mqtt/client.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/clock.h"
#include "base/startup_error.h"
#include "base/unique_fd.h"
#include "mqtt/handle.h"
#include "mqtt/library.h"
#include "mqtt/shared_tls.h"
#include "mqtt/wait.h"
#include "tls/client_context.h"
#include "tls/identity.h"

namespace heliograph::mqtt {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::unique_ptr<tls::ClientContext> MakeContext(const ConnectionConfig& config) {
  EnsureLibrary();
  const auto checked = tls::CheckFiles(config.files(), base::SystemClock().Now());
  if (!checked) throw base::StartupError(checked.error().message);
  auto context = tls::ClientContext::Create(config.ca_file, tls::Buffers::kLarge);
  if (!context) throw base::StartupError(context.error().message);
  return *std::move(context);
}

std::shared_ptr<const tls::Identity> LoadIdentity(const ConnectionConfig& config) {
  EnsureLibrary();
  auto identity = tls::Identity::Load(config.cert_file, config.key_file);
  if (!identity) throw base::StartupError(identity.error().message);
  return *std::move(identity);
}

// "OpenSSL Error[0]: error:0A000415:SSL routines::sslv3 alert certificate expired" -> the part
// after the last colon.
std::string_view ReasonOfLibraryError(std::string_view text) {
  if (!text.starts_with("OpenSSL Error")) return text;
  return text.substr(text.rfind(':') + 1);
}

// A close with unread bytes in the socket makes the kernel send a reset, which can overtake what
// was just written. So the other end is told that we are done, and what it still sends is read
// until it closes too.
void CloseGently(base::UniqueFd socket, milliseconds longest) {
  ::shutdown(socket.get(), SHUT_WR);
  const auto deadline = steady_clock::now() + longest;
  char bytes[4096];
  while (Poll(socket.get(), POLLIN, Until(deadline))) {
    if (::recv(socket.get(), bytes, sizeof bytes, MSG_DONTWAIT) <= 0) return;
  }
}

}  // namespace

std::string_view ReasonText(int reason) { return mosquitto_reason_string(reason); }

Client::Client(const ConnectionConfig& config, ClientOptions options, ClientEvents& events)
    : config_(config),
      options_(std::move(options)),
      events_(events),
      own_context_(MakeContext(config)),
      context_(*own_context_),
      identity_(LoadIdentity(config)) {}

Client::Client(const ConnectionConfig& config, ClientOptions options, ClientEvents& events,
               SharedTls& shared)
    : config_(config),
      options_(std::move(options)),
      events_(events),
      context_(shared.context()),
      identity_(LoadIdentity(config)) {}

Client::~Client() { Drop(); }

const tls::Certificate& Client::certificate() const noexcept { return identity_->certificate(); }

ssl_st* Client::Ssl() const noexcept {
  return handle_ ? static_cast<ssl_st*>(mosquitto_ssl_get(handle_.get())) : nullptr;
}

int Client::fd() const noexcept {
  return handle_ && !abort_asked_ ? mosquitto_socket(handle_.get()) : -1;
}

bool Client::HasDecryptedBytes() const {
  if (drained_ || fd() < 0) return false;
  const ssl_st* ssl = Ssl();
  return ssl != nullptr && tls::HasReadAhead(*ssl);
}

std::size_t Client::BytesWaiting() const {
  int bytes = 0;
  return fd() >= 0 && ::ioctl(fd(), FIONREAD, &bytes) == 0 ? static_cast<std::size_t>(bytes) : 0;
}

bool Client::WantsWrite() const {
  if (fd() < 0) return false;
  if (stage_ == Stage::kTcp) return true;
  const ssl_st* ssl = Ssl();
  if (stage_ == Stage::kMqtt) {
    return mosquitto_want_write(handle_.get()) || (ssl != nullptr && tls::HasUnwritten(*ssl));
  }
  return ssl != nullptr && tls::WaitsToWrite(*ssl);
}

std::string Client::Place() const {
  const std::string place = host_.host + ":" + std::to_string(host_.port);
  return host_.host == address_ ? place : place + " (" + address_ + ")";
}

std::string Client::Why(int code) const {
  const int error = errno;
  if (connect_reason_ != 0) {
    return "the broker refused the connection: " + std::string(ReasonText(connect_reason_));
  }
  if (disconnect_reason_) {
    return "the broker ended the connection: " + std::string(ReasonText(*disconnect_reason_));
  }
  if (!library_error_.empty()) {
    const std::string_view reason = ReasonOfLibraryError(library_error_);
    const bool alert = reason.find("alert") != std::string_view::npos;
    return (alert ? "the broker refused the TLS connection: " : "") + std::string(reason);
  }
  std::string why =
      code == MOSQ_ERR_SUCCESS ? "the connection was closed" : mosquitto_strerror(code);
  if (code == MOSQ_ERR_KEEPALIVE) why = "the broker was silent for longer than keepalive_s";
  if (code == MOSQ_ERR_ERRNO && error != EPROTO) why = std::strerror(error);
  if (stage_ != Stage::kMqtt || accepted_) return why;
  return why + " (before an answer to CONNECT; the broker may not accept our certificate)";
}

base::Error Client::Ended(const std::string& why) {
  const std::string message = Place() + ": " + why;
  Drop();
  return base::MakeError(base::ErrorCode::kUnavailable, message);
}

base::Status Client::AfterCall(int code) {
  in_call_ = false;
  if (abort_asked_) return Ended("aborted");
  if (code != MOSQ_ERR_SUCCESS || mosquitto_socket(handle_.get()) < 0) return Ended(Why(code));
  return {};
}

base::Status Client::ReadPacket() {
  if (stage_ != Stage::kMqtt) return Ended("not connected");
  const bool was_accepted = accepted_;
  in_call_ = true;
  errno = 0;
  const int code = mosquitto_loop_read(handle_.get(), 1);
  // Not by errno, which libmosquitto's writes to its own full wake-up socket leave at EAGAIN.
  const ssl_st* ssl = Ssl();
  drained_ = ssl == nullptr || tls::WaitsToRead(*ssl);
  base::Status status = AfterCall(code);
  if (status && accepted_ && !was_accepted) {
    // From here on libmosquitto would format a line for every packet only for it to be thrown away.
    mosquitto_log_callback_set(handle_.get(), nullptr);
    library_error_.clear();
  }
  return status;
}

base::Status Client::WritePending() {
  if (stage_ != Stage::kMqtt) return Ended("not connected");
  if (!accepted_) {
    // With TLS 1.3 the broker's refusal of our certificate comes after our handshake: writing first
    // would only find a reset, and the reason would stay unread.
    if (base::Status status = ReadPacket(); !status) return status;
  }
  in_call_ = true;
  errno = 0;
  if (base::Status status = AfterCall(mosquitto_loop_write(handle_.get(), 1)); !status)
    return status;
  if (!tls::FlushWrites(*Ssl())) return Ended(Why(MOSQ_ERR_ERRNO));
  return {};
}

base::Status Client::Maintain() {
  if (stage_ == Stage::kNone) return Ended("not connected");
  if (!accepted_ && steady_clock::now() > answer_deadline_) return Ended(Silence());
  if (stage_ != Stage::kMqtt) return {};
  in_call_ = true;
  errno = 0;
  return AfterCall(mosquitto_loop_misc(handle_.get()));
}

void Client::Drop() noexcept {
  assert(!in_call_);
  // Before libmosquitto closes it, so that not even its farewell of TLS is written.
  if (const int socket = handle_ ? mosquitto_socket(handle_.get()) : -1; socket >= 0) {
    ::shutdown(socket, SHUT_RDWR);
  }
  handle_.reset();
  tls::ForgetErrors();
  stage_ = Stage::kNone;
  abort_asked_ = false;
  accepted_ = false;
  drained_ = true;
  connect_reason_ = 0;
  disconnect_reason_.reset();
  library_error_.clear();
}

void Client::Abort() noexcept {
  if (!in_call_) return Drop();
  abort_asked_ = true;
  accepted_ = false;
  if (const int socket = mosquitto_socket(handle_.get()); socket >= 0)
    ::shutdown(socket, SHUT_RDWR);
}

void Client::Disconnect(milliseconds longest) {
  const auto deadline = steady_clock::now() + std::min(longest, config_.connect_timeout);
  while (stage_ == Stage::kMqtt && WantsWrite() && Poll(fd(), POLLOUT, Until(deadline))) {
    if (!WritePending()) break;
  }
  if (stage_ != Stage::kMqtt || fd() < 0 || WantsWrite()) return Drop();
  base::UniqueFd socket(::dup(fd()));
  // Writing the DISCONNECT makes libmosquitto close its copy of the socket: no buffer may hold it
  // back.
  tls::StopBuffering(*Ssl());
  mosquitto_disconnect_v5(handle_.get(), 0, nullptr);
  while (fd() >= 0 && Poll(fd(), POLLOUT, Until(deadline))) {
    in_call_ = true;
    const int code = mosquitto_loop_write(handle_.get(), 1);
    in_call_ = false;
    if (code != MOSQ_ERR_SUCCESS || abort_asked_) break;
  }
  const bool sent = fd() < 0 && !abort_asked_;
  if (sent && socket) CloseGently(std::move(socket), Until(deadline));
  Drop();
}

base::Result<int> Client::Subscribe(const std::string& filter, int qos, bool with_retained) {
  if (!accepted_) return base::MakeError(base::ErrorCode::kUnavailable, "not connected");
  // With QoS 2 an acknowledged message could be lost: its second half lives in libmosquitto's
  // object.
  if (qos < 0 || qos > 1)
    return base::MakeError(base::ErrorCode::kInvalidArgument, "QoS must be 0 or 1");
  int message_id = 0;
  const int retained =
      with_retained ? MQTT_SUB_OPT_SEND_RETAIN_ALWAYS : MQTT_SUB_OPT_SEND_RETAIN_NEVER;
  const int code = mosquitto_subscribe_v5(handle_.get(), &message_id, filter.c_str(), qos,
                                          retained | MQTT_SUB_OPT_RETAIN_AS_PUBLISHED, nullptr);
  if (code != MOSQ_ERR_SUCCESS) return ErrorOf(code, "subscribing to '" + filter + "'");
  return message_id;
}

base::Status Client::Unsubscribe(const std::string& filter) {
  if (!accepted_) return base::MakeError(base::ErrorCode::kUnavailable, "not connected");
  const int code = mosquitto_unsubscribe_v5(handle_.get(), nullptr, filter.c_str(), nullptr);
  if (code != MOSQ_ERR_SUCCESS) return ErrorOf(code, "unsubscribing from '" + filter + "'");
  return {};
}

base::Result<int> Client::Publish(const OutgoingMessage& message) {
  if (!accepted_) return base::MakeError(base::ErrorCode::kUnavailable, "not connected");
  if (message.qos < 0 || message.qos > 1 || message.topic.find('\0') != std::string::npos) {
    return base::MakeError(base::ErrorCode::kInvalidArgument,
                           "QoS must be 0 or 1, and the topic text");
  }
  auto properties = PropertiesOf(message);
  if (!properties) return std::move(properties).error();
  int message_id = 0;
  const int code = mosquitto_publish_v5(
      handle_.get(), &message_id, message.topic.c_str(), static_cast<int>(message.payload.size()),
      message.payload.data(), message.qos, message.retain, properties->get());
  if (code != MOSQ_ERR_SUCCESS) return ErrorOf(code, "publishing to '" + message.topic + "'");
  return message_id;
}

}  // namespace heliograph::mqtt
