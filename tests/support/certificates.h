// Throw-away authorities and certificates, right and wrong ones.
#pragma once

#include <chrono>
#include <memory>
#include <string>

namespace heliograph::support {

struct CertificateRequest {
  std::string common_name;
  std::string alternative_name = {};  // "DNS:localhost,IP:127.0.0.1"; "" = none
  std::chrono::hours valid_from{-1};  // from now
  std::chrono::hours valid_until{24};
  std::string pass_phrase = {};  // of the key; "" = none
};

// Threads: one thread.
class Authority {
 public:
  explicit Authority(const std::string& common_name,
                     std::chrono::hours valid_until = std::chrono::hours(24));
  ~Authority();

  void WriteCertificate(const std::string& file) const;  // its own, PEM
  // Issues a certificate and writes it and its key.
  void Issue(const CertificateRequest& request, const std::string& cert_file,
             const std::string& key_file) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace heliograph::support
