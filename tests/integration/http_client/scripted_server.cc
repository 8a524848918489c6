#include "integration/http_client/scripted_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <system_error>

namespace heliograph::http_client {
namespace {

void Check(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
}

// The length of the first whole request in `text`, or 0.
std::size_t WholeRequest(const std::string& text) {
  const std::size_t head = text.find("\r\n\r\n");
  if (head == text.npos) return 0;
  const std::size_t at = text.find("Content-Length: ");
  const std::size_t body = at < head ? std::strtoul(text.c_str() + at + 16, nullptr, 10) : 0;
  return text.size() >= head + 4 + body ? head + 4 + body : 0;
}

}  // namespace

ScriptedServer::ScriptedServer(std::string answer, Then then, std::string host, int port)
    : answer_(std::move(answer)),
      then_(then),
      host_(std::move(host)),
      listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
  Check(listener_.get(), "socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  ::inet_pton(AF_INET, host_.c_str(), &address.sin_addr);
  const int again = 1;
  ::setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &again, sizeof again);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  Check(::bind(listener_.get(), generic, size), "bind");
  Check(::listen(listener_.get(), 8), "listen");
  Check(::getsockname(listener_.get(), generic, &size), "getsockname");
  port_ = ntohs(address.sin_port);
  std::array<int, 2> pipe{};
  Check(::pipe(pipe.data()), "pipe");
  stop_read_ = base::UniqueFd(pipe[0]);
  stop_write_ = base::UniqueFd(pipe[1]);
  thread_ = std::thread([this] { Serve(); });
}

ScriptedServer::~ScriptedServer() {
  stop_write_ = base::UniqueFd();
  thread_.join();
}

std::string ScriptedServer::url() const { return "http://" + host_ + ':' + std::to_string(port_); }

std::vector<std::string> ScriptedServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

int ScriptedServer::connections() const {
  const std::lock_guard lock(mutex_);
  return connections_;
}

void ScriptedServer::Serve() {
  while (true) {
    std::array<pollfd, 2> ready{{{listener_.get(), POLLIN, 0}, {stop_read_.get(), POLLIN, 0}}};
    ::poll(ready.data(), ready.size(), -1);
    if (ready[1].revents != 0) return;
    const base::UniqueFd client(::accept(listener_.get(), nullptr, nullptr));
    if (!client) return;
    {
      const std::lock_guard lock(mutex_);
      ++connections_;
    }
    Converse(client.get());
  }
}

void ScriptedServer::Converse(int fd) {
  std::string text;
  while (true) {
    std::array<pollfd, 2> ready{{{fd, POLLIN, 0}, {stop_read_.get(), POLLIN, 0}}};
    ::poll(ready.data(), ready.size(), -1);
    if (ready[1].revents != 0) return;
    std::array<char, 4096> buffer{};
    const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (got <= 0) return;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    while (const std::size_t length = WholeRequest(text)) {
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(text.substr(0, length));
      }
      text.erase(0, length);
      if (::send(fd, answer_.data(), answer_.size(), MSG_NOSIGNAL) < 0) return;
      if (then_ == Then::kCloses) return;
    }
  }
}

}  // namespace heliograph::http_client
