// Client: from a host's name to a finished TLS handshake.
#include <fcntl.h>
#include <mosquitto.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "log/log.h"
#include "mqtt/client.h"
#include "mqtt/client_callbacks.h"
#include "mqtt/handle.h"
#include "mqtt/wait.h"
#include "tls/client_context.h"
#include "tls/identity.h"

namespace heliograph::mqtt {
namespace {

using std::chrono::steady_clock;

const log::Logger kLog("mqtt");

// A resolver that answers at all does within this. Longer would hold up the end of the process,
// which waits for whoever is in a look-up.
constexpr std::chrono::milliseconds kLongestLookUp{2000};

enum class Tcp { kPending, kConnected, kFailed };

Tcp StateOf(int fd) {
  pollfd one{fd, POLLOUT, 0};
  if (::poll(&one, 1, 0) <= 0) return Tcp::kPending;
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  const bool has_peer = ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0;
  return has_peer ? Tcp::kConnected : Tcp::kFailed;
}

// Why a connect failed. `seen` is what the call that began it left in errno: libmosquitto starts
// the TLS handshake before TCP has answered, and its write may have taken the socket's error with
// it.
std::string ConnectFault(int fd, int seen) {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error == 0) error = seen;
  const bool known = error != 0 && error != EAGAIN && error != EINPROGRESS;
  return known ? std::strerror(error) : "the TCP connection failed";
}

bool IsAtEnd(int fd) {
  char byte = 0;
  const ssize_t got = ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

}  // namespace

base::Status Client::NextHost() {
  auto host = ParseHostPort(config_.hosts[next_host_++ % config_.hosts.size()]);
  if (!host) return std::move(host).error();
  host_ = *std::move(host);
  auto found = ResolveHost(host_.host, std::min(config_.connect_timeout, kLongestLookUp));
  if (!found) return std::move(found).error();
  addresses_ = *std::move(found);
  std::reverse(addresses_.begin(), addresses_.end());
  return {};
}

void Client::ReadIdentityAgain() {
  if (!own_context_) return;
  if (auto fresh = tls::Identity::Load(config_.cert_file, config_.key_file)) {
    identity_ = *std::move(fresh);
  } else {
    kLog.Warn("certificate cannot be read again, the one in memory is used",
              {{"reason", fresh.error().message}});
  }
}

base::Status Client::Open(const std::string& address) {
  Drop();
  address_ = address;
  auto handle = MakeHandle(options_, *context_.handle(), this);
  if (!handle) return std::move(handle).error();
  handle_ = *std::move(handle);
  Callbacks::Set(handle_.get());
  tls::ForgetErrors();
  tls::ClientContext::Handshake handshake(context_, *identity_, host_.host);
  errno = 0;
  const auto keepalive = std::chrono::duration_cast<std::chrono::seconds>(config_.keepalive);
  const int code = mosquitto_connect_bind_async(handle_.get(), address.c_str(), host_.port,
                                                static_cast<int>(keepalive.count()), nullptr);
  connect_errno_ = errno;
  if (code != MOSQ_ERR_SUCCESS) return Ended(WhyNoHandshake(code));
  if (!handshake.prepared()) return Ended("the TLS handshake did not begin");
  ::fcntl(fd(), F_SETFD, FD_CLOEXEC);  // a child that kept it would keep the connection
  stage_ = Stage::kTcp;
  answer_deadline_ = steady_clock::now() + config_.connect_timeout;
  return {};
}

base::Status Client::StartConnect() {
  Drop();
  ReadIdentityAgain();
  if (addresses_.empty()) {
    if (base::Status host = NextHost(); !host) return host;
  }
  const std::string address = std::move(addresses_.back());
  addresses_.pop_back();
  return Open(address);
}

base::Result<bool> Client::ContinueConnect() {
  switch (stage_) {
    case Stage::kNone:
      return base::MakeError(base::ErrorCode::kUnavailable, "not connecting");
    case Stage::kTcp:
      return ContinueTcp();
    case Stage::kTls:
      return ContinueTls();
    case Stage::kMqtt:
      return true;
  }
  return true;
}

bool Client::IsHandshakeFinished() const {
  const ssl_st* ssl = Ssl();
  return ssl != nullptr && tls::IsHandshakeFinished(*ssl);
}

base::Result<bool> Client::ContinueTcp() {
  // A near and quick peer may have answered during the call that began it.
  if (IsHandshakeFinished()) return ContinueTls();
  switch (StateOf(fd())) {
    case Tcp::kPending:
      return false;
    case Tcp::kFailed:
      return Ended(ConnectFault(fd(), connect_errno_));
    case Tcp::kConnected:
      stage_ = Stage::kTls;
      return ContinueTls();
  }
  return false;
}

std::string Client::WhyNoHandshake(int code) {
  const std::string refusal = context_.TakeRefusal();
  if (!refusal.empty()) return "the broker's certificate is refused: " + refusal;
  return code == MOSQ_ERR_TLS ? "TLS handshake: " + Why(code) : Why(code);
}

base::Result<bool> Client::ContinueTls() {
  if (!IsHandshakeFinished()) {
    // While libmosquitto waits for its handshake, this call does nothing but continue it.
    const int code = mosquitto_loop_read(handle_.get(), 1);
    if (code != MOSQ_ERR_SUCCESS || fd() < 0) return Ended(WhyNoHandshake(code));
  }
  if (!IsHandshakeFinished()) {
    // libmosquitto takes a connection that ended in the handshake for one that is not finished.
    if (IsAtEnd(fd())) return Ended("the peer closed the connection during the TLS handshake");
    return false;
  }
  if (!tls::BufferWrites(*Ssl())) return Ended("no memory for a buffer");
  stage_ = Stage::kMqtt;
  drained_ = false;  // the handshake may have read ahead
  answer_deadline_ = steady_clock::now() + config_.connect_timeout;
  return true;
}

base::Status Client::WaitForHandshake(steady_clock::time_point deadline) {
  while (steady_clock::now() < deadline) {
    Poll(fd(), static_cast<short>(WantsWrite() ? POLLOUT : POLLIN), Until(deadline));
    const auto done = ContinueConnect();
    if (!done) return done.error();
    if (*done) return {};
  }
  return Ended(Silence());
}

std::string Client::Silence() const {
  switch (stage_) {
    case Stage::kNone:
    case Stage::kTcp:
      return "no answer to the TCP connect in time";
    case Stage::kTls:
      return "no answer in the TLS handshake in time";
    case Stage::kMqtt:
      return "the broker does not answer CONNECT";
  }
  return "";
}

base::Status Client::Connect() {
  Drop();
  ReadIdentityAgain();
  const auto deadline = steady_clock::now() + config_.connect_timeout;
  if (base::Status host = NextHost(); !host) return host;
  base::Status outcome;
  while (!addresses_.empty()) {
    const auto share = Until(deadline) / addresses_.size();
    const std::string address = std::move(addresses_.back());
    addresses_.pop_back();
    outcome = Open(address);
    if (outcome) outcome = WaitForHandshake(steady_clock::now() + share);
    if (outcome) break;
  }
  addresses_.clear();
  return outcome;
}

}  // namespace heliograph::mqtt
