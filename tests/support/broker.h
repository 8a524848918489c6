// A Mosquitto of one test's own, with mutual TLS, that can be stopped and started again.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "support/certificates.h"
#include "support/folder.h"

namespace heliograph::support {

// The client's certificate is its user name and its client id is free. Clients: client.crt,
// client.key. Threads: one thread.
class Broker {
 public:
  struct Options {
    std::string names = "DNS:localhost,IP:127.0.0.1";  // of its certificate
    std::vector<std::string> lines = {};               // more lines of configuration
  };
  explicit Broker(const Options& options);
  Broker() : Broker(Options()) {}
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  void Start();  // waits until it takes connections
  void Stop();   // SIGTERM: it writes down what it has
  void Kill();   // SIGKILL
  void Pause();  // SIGSTOP: connections stay, nothing is answered
  void Resume();

  std::uint16_t port() const { return port_; }
  std::string Host() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string File(const std::string& name) const { return folder_.File(name); }
  const Authority& authority() const { return authority_; }
  // What Mosquitto wrote to its log.
  std::string Log() const;

 private:
  void End(int signal);

  Folder folder_;
  Authority authority_{"test authority"};
  std::uint16_t port_ = 0;
  pid_t process_ = -1;
};

// A port of 127.0.0.1 that nobody listens on at the moment.
std::uint16_t FreePort();

}  // namespace heliograph::support
