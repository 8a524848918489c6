#include "tls/openssl.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <cerrno>
#include <cstring>
#include <ctime>

namespace heliograph::tls {
namespace {

using UniqueBio = base::UniqueHandle<BIO, BIO_free>;

base::Error FileError(const std::string& file, const std::string& what) {
  return base::MakeError(base::ErrorCode::kInvalidArgument, "'" + file + "' " + what);
}

base::Result<UniqueBio> Open(const std::string& file) {
  if (file.empty()) {
    return base::MakeError(base::ErrorCode::kInvalidArgument,
                           "a certificate or key file is not set");
  }
  errno = 0;
  UniqueBio bio(BIO_new_file(file.c_str(), "r"));
  const int why = errno;
  TakeReason();
  if (!bio) return FileError(file, std::string("cannot be read: ") + std::strerror(why));
  return bio;
}

// Without it OpenSSL asks on the terminal and the process stands still.
int NoPassPhrase(char*, int, int, void*) { return -1; }

}  // namespace

std::string TakeReason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0) return "";
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "error " + std::to_string(code);
}

base::Result<std::vector<UniqueX509>> ReadCertificates(const std::string& file) {
  auto bio = Open(file);
  if (!bio) return std::move(bio).error();
  std::vector<UniqueX509> certificates;
  while (UniqueX509 one{PEM_read_bio_X509(bio->get(), nullptr, NoPassPhrase, nullptr)}) {
    certificates.push_back(std::move(one));
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string reason = TakeReason();
  if (!at_end) return FileError(file, "holds a damaged certificate: " + reason);
  if (certificates.empty()) return FileError(file, "holds no certificate in PEM form");
  return certificates;
}

base::Result<UniqueKey> ReadKey(const std::string& file) {
  auto bio = Open(file);
  if (!bio) return std::move(bio).error();
  UniqueKey key(PEM_read_bio_PrivateKey(bio->get(), nullptr, NoPassPhrase, nullptr));
  const unsigned long code = ERR_peek_last_error();
  const std::string reason = TakeReason();
  if (key) return key;
  if (ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_BAD_PASSWORD_READ) {
    return FileError(file, "is behind a pass phrase, which is not supported");
  }
  return FileError(file, "holds no usable private key: " + reason);
}

base::Timestamp TimeOf(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::chrono::time_point_cast<std::chrono::microseconds>(
      std::chrono::system_clock::from_time_t(::timegm(&parts)));
}

std::string CommonNameOf(const X509& certificate) {
  const X509_NAME* name = X509_get_subject_name(&certificate);
  const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0) return "";
  unsigned char* text = nullptr;
  const int size =
      ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  if (size < 0) return "";
  std::string common_name(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
  OPENSSL_free(text);
  return common_name;
}

}  // namespace heliograph::tls
