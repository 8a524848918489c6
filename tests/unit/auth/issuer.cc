#include "unit/auth/issuer.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <stdexcept>
#include <utility>

#include "base/unique_handle.h"

namespace heliograph::auth {
namespace {

using UniqueNumber = base::UniqueHandle<BIGNUM, BN_free>;
using UniqueContext = base::UniqueHandle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using UniqueDigestContext = base::UniqueHandle<EVP_MD_CTX, EVP_MD_CTX_free>;
using UniqueSignature = base::UniqueHandle<ECDSA_SIG, ECDSA_SIG_free>;
using UniqueBio = base::UniqueHandle<BIO, BIO_free_all>;

void Check(bool ok) {
  if (!ok) throw std::runtime_error("OpenSSL cannot do what a test needs");
}

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string BytesOf(const BIGNUM* number, int size) {
  std::string bytes(static_cast<std::size_t>(size), '\0');
  Check(::BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), size) == size);
  return bytes;
}

std::string Parameter(EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  Check(::EVP_PKEY_get_bn_param(key, name, &number) == 1);
  const UniqueNumber owned(number);
  const int least = std::string_view(name) == OSSL_PKEY_PARAM_EC_PUB_X ||
                            std::string_view(name) == OSSL_PKEY_PARAM_EC_PUB_Y
                        ? (::EVP_PKEY_get_bits(key) + 7) / 8
                        : BN_num_bytes(number);
  return EncodeBase64Url(BytesOf(number, least));
}

std::shared_ptr<EVP_PKEY> Curve(const char* name) {
  return {::EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", name), ::EVP_PKEY_free};
}

}  // namespace

std::string EncodeBase64Url(std::string_view bytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  unsigned held = 0;
  unsigned bits = 0;
  for (const char c : bytes) {
    held = (held << 8U | static_cast<unsigned char>(c)) & 0xffffU;
    for (bits += 8; bits >= 6;) {
      bits -= 6;
      text += kAlphabet[held >> bits & 63U];
    }
  }
  if (bits > 0) text += kAlphabet[held << (6 - bits) & 63U];
  return text;
}

SigningKey SigningKey::Rsa(unsigned bits, unsigned long exponent) {
  const UniqueContext context(::EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  const UniqueNumber e(::BN_new());
  EVP_PKEY* key = nullptr;
  Check(::BN_set_word(e.get(), exponent) == 1 && ::EVP_PKEY_keygen_init(context.get()) == 1 &&
        ::EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), static_cast<int>(bits)) == 1 &&
        ::EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context.get(), e.get()) == 1 &&
        ::EVP_PKEY_generate(context.get(), &key) == 1);
  return SigningKey({key, ::EVP_PKEY_free});
}

SigningKey SigningKey::P256() { return SigningKey(Curve("P-256")); }
SigningKey SigningKey::P384() { return SigningKey(Curve("P-384")); }

std::string SigningKey::Jwk(std::string_view id, std::string_view more) const {
  const std::string rest = R"(,"kid":")" + std::string(id) + "\"" + std::string(more) + "}";
  if (::EVP_PKEY_is_a(key_.get(), "RSA") == 1) {
    return R"({"kty":"RSA","n":")" + Parameter(key_.get(), OSSL_PKEY_PARAM_RSA_N) + R"(","e":")" +
           Parameter(key_.get(), OSSL_PKEY_PARAM_RSA_E) + "\"" + rest;
  }
  const char* curve = ::EVP_PKEY_get_bits(key_.get()) == 256 ? "P-256" : "P-384";
  return R"({"kty":"EC","crv":")" + std::string(curve) + R"(","x":")" +
         Parameter(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X) + R"(","y":")" +
         Parameter(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y) + "\"" + rest;
}

std::string SigningKey::Pem() const {
  const UniqueBio bio(::BIO_new(::BIO_s_mem()));
  Check(::PEM_write_bio_PUBKEY(bio.get(), key_.get()) == 1);
  const char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string SigningKey::DerSignature(std::string_view text) const {
  const UniqueDigestContext context(::EVP_MD_CTX_new());
  std::size_t size = 0;
  Check(::EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
        ::EVP_DigestSign(context.get(), nullptr, &size, Bytes(text), text.size()) == 1);
  std::string signature(size, '\0');
  Check(::EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                         Bytes(text), text.size()) == 1);
  signature.resize(size);
  return signature;
}

std::string SigningKey::Signature(std::string_view text) const {
  const std::string der = DerSignature(text);
  if (::EVP_PKEY_is_a(key_.get(), "RSA") == 1) return der;
  const unsigned char* at = Bytes(der);
  const UniqueSignature numbers(::d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  const int size = (::EVP_PKEY_get_bits(key_.get()) + 7) / 8;
  return BytesOf(::ECDSA_SIG_get0_r(numbers.get()), size) +
         BytesOf(::ECDSA_SIG_get0_s(numbers.get()), size);
}

std::string Unsigned(std::string_view header, std::string_view claims) {
  return EncodeBase64Url(header) + "." + EncodeBase64Url(claims);
}

std::string Sign(const SigningKey& key, std::string_view header, std::string_view claims) {
  const std::string text = Unsigned(header, claims);
  return text + "." + EncodeBase64Url(key.Signature(text));
}

std::string SignWithSecret(std::string_view secret, std::string_view header,
                           std::string_view claims) {
  const std::string text = Unsigned(header, claims);
  std::array<unsigned char, EVP_MAX_MD_SIZE> code{};
  unsigned size = 0;
  Check(::HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), Bytes(text),
               text.size(), code.data(), &size) != nullptr);
  return text + "." + EncodeBase64Url({reinterpret_cast<const char*>(code.data()), size});
}

const SigningKey& RsaKey() {
  static const SigningKey key = SigningKey::Rsa(2048);
  return key;
}

const SigningKey& EcKey() {
  static const SigningKey key = SigningKey::P256();
  return key;
}

}  // namespace heliograph::auth
