// Who we are to a peer: a certificate with its chain, and its key, in memory.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "tls/certificate.h"

struct ssl_st;

namespace heliograph::tls {

// Threads: immutable.
class Identity {
 public:
  // kInvalidArgument: a file cannot be read, or the key is not the certificate's.
  static base::Result<std::shared_ptr<const Identity>> Load(const std::string& cert_file,
                                                            const std::string& key_file);
  ~Identity();
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;

  const Certificate& certificate() const noexcept { return certificate_; }

  // Makes one connection present this identity when the peer asks for it. Before its handshake.
  bool Present(ssl_st& connection) const noexcept;

 private:
  struct Material;
  Identity(Certificate certificate, std::unique_ptr<Material> material);

  Certificate certificate_;
  std::unique_ptr<Material> material_;
};

}  // namespace heliograph::tls
