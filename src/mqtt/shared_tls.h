// TLS set up once for many clients of one thread: the fleet's thousands would otherwise each hold
// the authorities.
#pragma once

#include <memory>
#include <string>

namespace heliograph::tls {
class ClientContext;
}

namespace heliograph::mqtt {

// Threads: the one that runs its clients.
class SharedTls {
 public:
  explicit SharedTls(const std::string& ca_file);  // throws StartupError
  ~SharedTls();

  tls::ClientContext& context() { return *context_; }

 private:
  std::unique_ptr<tls::ClientContext> context_;
};

}  // namespace heliograph::mqtt
