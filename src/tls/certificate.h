// The certificate files that a program is given: checked when it starts, so that a wrong one is a
// sentence with a file's name and not a failed handshake later.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace heliograph::tls {

struct Certificate {
  std::string file;
  std::string common_name;  // of the subject; "" when it has none
  base::Timestamp not_before;
  base::Timestamp not_after;
};

// Whole days until it expires, rounded down; negative afterwards.
std::int64_t DaysLeft(const Certificate& certificate, base::Timestamp now);

// kInvalidArgument when `now` lies outside its validity; names the file and the time.
base::Status CheckValidity(const Certificate& certificate, base::Timestamp now);

// The first certificate of a PEM file.
base::Result<Certificate> ReadCertificate(const std::string& file);

struct Files {
  std::string ca_file;    // who the peer's certificate may come from
  std::string cert_file;  // our certificate, with the intermediate ones after it
  std::string key_file;
};

// Everything that can be known without a peer: all three can be read, the key belongs to the
// certificate, and neither the certificate nor all of the authorities are out of their time.
// Returns our certificate; kInvalidArgument otherwise.
base::Result<Certificate> CheckFiles(const Files& files, base::Timestamp now);

}  // namespace heliograph::tls
