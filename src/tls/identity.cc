#include "tls/identity.h"

#include <openssl/err.h>

#include <utility>
#include <vector>

#include "tls/openssl.h"

namespace heliograph::tls {

struct Identity::Material {
  UniqueX509 leaf;
  std::vector<UniqueX509> intermediates;
  UniqueKey key;
};

Identity::Identity(Certificate certificate, std::unique_ptr<Material> material)
    : certificate_(std::move(certificate)), material_(std::move(material)) {}

Identity::~Identity() = default;

base::Result<std::shared_ptr<const Identity>> Identity::Load(const std::string& cert_file,
                                                             const std::string& key_file) {
  auto chain = ReadCertificates(cert_file);
  if (!chain) return std::move(chain).error();
  auto key = ReadKey(key_file);
  if (!key) return std::move(key).error();
  if (X509_check_private_key(chain->front().get(), key->get()) != 1) {
    ERR_clear_error();
    return base::MakeError(
        base::ErrorCode::kInvalidArgument,
        "'" + key_file + "' is not the key of the certificate '" + cert_file + "'");
  }
  const X509& leaf = *chain->front();
  Certificate certificate{cert_file, CommonNameOf(leaf), TimeOf(X509_get0_notBefore(&leaf)),
                          TimeOf(X509_get0_notAfter(&leaf))};
  auto material = std::make_unique<Material>();
  material->leaf = std::move(chain->front());
  for (std::size_t i = 1; i < chain->size(); ++i) {
    material->intermediates.push_back(std::move((*chain)[i]));
  }
  material->key = *std::move(key);
  return std::shared_ptr<const Identity>(
      new Identity(std::move(certificate), std::move(material)));  // NOLINT: private constructor
}

bool Identity::Present(ssl_st& connection) const noexcept {
  bool ok = SSL_use_certificate(&connection, material_->leaf.get()) == 1 &&
            SSL_use_PrivateKey(&connection, material_->key.get()) == 1;
  for (const UniqueX509& one : material_->intermediates) {
    ok = ok && SSL_add1_chain_cert(&connection, one.get()) == 1;
  }
  ERR_clear_error();
  return ok;
}

}  // namespace heliograph::tls
