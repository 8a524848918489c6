#include "contract/http/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <thread>

namespace heliograph::http::testing {

bool Eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

RawClient::RawClient(std::uint16_t port, int receive_buffer)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (receive_buffer > 0) {
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  const int on = 1;
  ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    socket_ = base::UniqueFd();
  }
}

void RawClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool RawClient::TrySend(std::string_view bytes) {
  return ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) ==
         static_cast<ssize_t>(bytes.size());
}

void RawClient::ShutWriting() { ::shutdown(socket_.get(), SHUT_WR); }

void RawClient::Reset() {
  const linger at_once{1, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  Close();
}

bool RawClient::Receive() {
  if (ended_) return false;
  pollfd waiting{socket_.get(), POLLIN, 0};
  const auto patience = std::chrono::milliseconds(kPatience).count();
  if (::poll(&waiting, 1, static_cast<int>(patience)) != 1) return false;
  std::array<char, 65536> bytes;  // NOLINT: filled by recv
  const ssize_t size = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
  ended_ = size <= 0;
  if (!ended_) buffer_.append(bytes.data(), static_cast<std::size_t>(size));
  return !ended_;
}

std::optional<RawAnswer> RawClient::ReadAnswer(bool body) {
  std::size_t head_end = 0;
  while ((head_end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!Receive()) return std::nullopt;
  }
  RawAnswer answer;
  answer.status = std::atoi(buffer_.substr(9, 3).c_str());
  for (std::size_t at = buffer_.find("\r\n"); at < head_end;) {
    const std::size_t end = buffer_.find("\r\n", at + 2);
    const std::string line = buffer_.substr(at + 2, end - at - 2);
    std::string name = line.substr(0, line.find(':'));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(::tolower(c)); });
    answer.headers[name] = line.substr(std::min(line.size(), line.find(':') + 2));
    at = end;
  }
  const auto stated = answer.headers.find("content-length");
  const bool expected = body && stated != answer.headers.end();
  const std::size_t length =
      expected ? static_cast<std::size_t>(std::atoll(stated->second.c_str())) : 0;
  while (buffer_.size() < head_end + 4 + length) {
    if (!Receive()) return std::nullopt;
  }
  answer.body = buffer_.substr(head_end + 4, length);
  buffer_.erase(0, head_end + 4 + length);
  return answer;
}

std::optional<std::string> RawClient::ReadChunk() {
  std::size_t size_end = 0;
  while ((size_end = buffer_.find("\r\n")) == std::string::npos) {
    if (!Receive()) return std::nullopt;
  }
  std::size_t size = 0;
  const char* const end = buffer_.data() + size_end;
  const auto parsed = std::from_chars(buffer_.data(), end, size, 16);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  const std::size_t whole = size_end + 2 + size + 2;
  while (buffer_.size() < whole) {
    if (!Receive()) return std::nullopt;
  }
  if (buffer_.substr(whole - 2, 2) != "\r\n") return std::nullopt;
  std::string chunk = buffer_.substr(size_end + 2, size);
  buffer_.erase(0, whole);
  return chunk;
}

std::optional<std::string> RawClient::ReadToEnd() {
  while (Receive()) {
  }
  if (!ended_) return std::nullopt;
  return std::move(buffer_);
}

bool RawClient::Ended() { return ReadToEnd().has_value(); }

std::string Get(std::string_view path, std::string_view more) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: test\r\n" + std::string(more) + "\r\n";
}

std::string Post(std::string_view path, std::string_view body, std::string_view more) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(more) + "\r\n" + std::string(body);
}

std::optional<RawAnswer> Ask(std::uint16_t port, std::string_view request) {
  RawClient client(port);
  client.Send(request);
  return client.ReadAnswer();
}

}  // namespace heliograph::http::testing
