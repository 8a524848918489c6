#include "tls/certificate.h"

#include <algorithm>
#include <utility>

#include "base/rfc3339.h"
#include "tls/identity.h"
#include "tls/openssl.h"

namespace heliograph::tls {
namespace {

Certificate Describe(const std::string& file, const X509& x509) {
  return {file, CommonNameOf(x509), TimeOf(X509_get0_notBefore(&x509)),
          TimeOf(X509_get0_notAfter(&x509))};
}

base::Status CheckAuthorities(const std::string& file, base::Timestamp now) {
  const auto authorities = ReadCertificates(file);
  if (!authorities) return authorities.error();
  base::Status first_fault;
  for (const UniqueX509& one : *authorities) {
    const base::Status valid = CheckValidity(Describe(file, *one), now);
    if (valid) return {};
    if (first_fault) first_fault = valid;
  }
  return first_fault;
}

}  // namespace

std::int64_t DaysLeft(const Certificate& certificate, base::Timestamp now) {
  return std::chrono::floor<std::chrono::days>(certificate.not_after - now).count();
}

base::Status CheckValidity(const Certificate& certificate, base::Timestamp now) {
  if (now > certificate.not_after) {
    return base::MakeError(base::ErrorCode::kInvalidArgument,
                           "the certificate '" + certificate.file + "' expired at " +
                               base::FormatRfc3339(certificate.not_after));
  }
  if (now < certificate.not_before) {
    return base::MakeError(base::ErrorCode::kInvalidArgument,
                           "the certificate '" + certificate.file + "' is not valid before " +
                               base::FormatRfc3339(certificate.not_before));
  }
  return {};
}

base::Result<Certificate> ReadCertificate(const std::string& file) {
  const auto chain = ReadCertificates(file);
  if (!chain) return chain.error();
  return Describe(file, *chain->front());
}

base::Result<Certificate> CheckFiles(const Files& files, base::Timestamp now) {
  if (base::Status authorities = CheckAuthorities(files.ca_file, now); !authorities) {
    return std::move(authorities).error();
  }
  const auto identity = Identity::Load(files.cert_file, files.key_file);
  if (!identity) return identity.error();
  const Certificate& certificate = (*identity)->certificate();
  if (base::Status valid = CheckValidity(certificate, now); !valid) {
    return std::move(valid).error();
  }
  return certificate;
}

}  // namespace heliograph::tls
