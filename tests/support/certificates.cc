#include "support/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <atomic>
#include <cstdio>
#include <stdexcept>

namespace heliograph::support {
namespace {

struct Free {
  void operator()(X509* one) const { X509_free(one); }
  void operator()(EVP_PKEY* one) const { EVP_PKEY_free(one); }
  void operator()(std::FILE* one) const { std::fclose(one); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Certificate = std::unique_ptr<X509, Free>;

void Check(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(what);
}

void AddExtension(X509& certificate, X509& issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  Check(extension != nullptr, "extension");
  X509_add_ext(&certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate Blank(const std::string& common_name, EVP_PKEY& key, std::chrono::seconds from,
                  std::chrono::seconds until) {
  static std::atomic<long> serial = 1;
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), from.count());
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), until.count());
  X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate.get()), NID_commonName,
                             MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.data()),
                             static_cast<int>(common_name.size()), -1, 0);
  X509_set_pubkey(certificate.get(), &key);
  return certificate;
}

std::unique_ptr<std::FILE, Free> Create(const std::string& file) {
  std::unique_ptr<std::FILE, Free> out(std::fopen(file.c_str(), "w"));
  Check(out != nullptr, "cannot write a certificate file");
  return out;
}

}  // namespace

struct Authority::State {
  Key key;
  Certificate certificate;
};

Authority::Authority(const std::string& common_name, std::chrono::hours valid_until)
    : state_(std::make_unique<State>()) {
  state_->key.reset(EVP_EC_gen("P-256"));
  state_->certificate = Blank(common_name, *state_->key, std::chrono::hours(-48), valid_until);
  X509& self = *state_->certificate;
  X509_set_issuer_name(&self, X509_get_subject_name(&self));
  AddExtension(self, self, NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(self, self, NID_key_usage, "critical,keyCertSign,cRLSign");
  Check(X509_sign(&self, state_->key.get(), EVP_sha256()) > 0, "sign");
}

Authority::~Authority() = default;

void Authority::WriteCertificate(const std::string& file) const {
  PEM_write_X509(Create(file).get(), state_->certificate.get());
}

void Authority::Issue(const CertificateRequest& request, const std::string& cert_file,
                      const std::string& key_file) const {
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate =
      Blank(request.common_name, *key, request.valid_from, request.valid_until);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(state_->certificate.get()));
  if (!request.alternative_name.empty()) {
    AddExtension(*certificate, *state_->certificate, NID_subject_alt_name,
                 request.alternative_name);
  }
  Check(X509_sign(certificate.get(), state_->key.get(), EVP_sha256()) > 0, "sign");
  PEM_write_X509(Create(cert_file).get(), certificate.get());
  const bool locked = !request.pass_phrase.empty();
  PEM_write_PrivateKey(Create(key_file).get(), key.get(), locked ? EVP_aes_256_cbc() : nullptr,
                       reinterpret_cast<const unsigned char*>(request.pass_phrase.data()),
                       static_cast<int>(request.pass_phrase.size()), nullptr, nullptr);
  ::chmod(key_file.c_str(), 0600);
}

}  // namespace heliograph::support
