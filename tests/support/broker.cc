#include "support/broker.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace heliograph::support {
namespace {

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

bool TakesConnections(std::uint16_t port) {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  const bool ok =
      ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(probe);
  return ok;
}

}  // namespace

std::uint16_t FreePort() {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  if (::bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("no free port");
  }
  ::close(probe);
  return ntohs(address.sin_port);
}

Broker::Broker(const Options& options) : port_(FreePort()) {
  authority_.WriteCertificate(File("ca.crt"));
  authority_.Issue({.common_name = "broker", .alternative_name = options.names}, File("broker.crt"),
                   File("broker.key"));
  authority_.Issue({.common_name = "client"}, File("client.crt"), File("client.key"));
  std::ostringstream lines;
  // Started as root it would become a user who cannot read this folder.
  lines << "user root\nper_listener_settings false\nallow_anonymous true\n"
        << "persistence true\npersistence_location " << File("") << "\nautosave_interval 1\n"
        << "log_dest file " << File("mosquitto.log") << "\nlog_type all\nset_tcp_nodelay true\n";
  for (const std::string& line : options.lines) lines << line << "\n";
  lines << "listener " << port_ << " 127.0.0.1\ncafile " << File("ca.crt") << "\ncertfile "
        << File("broker.crt") << "\nkeyfile " << File("broker.key")
        << "\nrequire_certificate true\nuse_identity_as_username true\n";
  folder_.Write("mosquitto.conf", lines.str());
  Start();
}

Broker::~Broker() { Kill(); }

void Broker::Start() {
  const std::string file = File("mosquitto.conf");
  process_ = ::fork();
  if (process_ == 0) {
    const int nowhere = ::open("/dev/null", O_RDWR);
    ::dup2(nowhere, 1);
    ::dup2(nowhere, 2);
    ::close_range(3, ~0U, 0);
    ::execlp("mosquitto", "mosquitto", "-c", file.c_str(), nullptr);
    ::execl("/usr/sbin/mosquitto", "mosquitto", "-c", file.c_str(), nullptr);
    ::_exit(127);
  }
  for (int tries = 0; tries < 500; ++tries) {
    if (TakesConnections(port_)) return;
    if (::waitpid(process_, nullptr, WNOHANG) != 0) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  throw std::runtime_error("mosquitto did not start: " + Log());
}

void Broker::Stop() { End(SIGTERM); }

void Broker::Kill() { End(SIGKILL); }

void Broker::End(int signal) {
  if (process_ <= 0) return;
  ::kill(process_, signal);
  ::waitpid(process_, nullptr, 0);
  process_ = -1;
}

void Broker::Pause() { ::kill(process_, SIGSTOP); }

void Broker::Resume() { ::kill(process_, SIGCONT); }

std::string Broker::Log() const {
  std::ifstream file(File("mosquitto.log"));
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace heliograph::support
