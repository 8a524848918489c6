#include "auth/public_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <cstddef>

#include "auth/base64url.h"
#include "base/unique_handle.h"

namespace heliograph::auth {
namespace {

constexpr int kFewestRsaBits = 2048;   // RFC 7518, section 3.3
constexpr int kMostRsaBits = 8192;     // what is larger costs more time than a caller is worth
constexpr int kMostExponentBits = 64;  // as OpenSSL has it for large keys
constexpr std::size_t kCoordinate = 32;

using UniqueNumber = base::UniqueHandle<BIGNUM, BN_free>;
using UniqueBuilder = base::UniqueHandle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using UniqueParameters = base::UniqueHandle<OSSL_PARAM, OSSL_PARAM_free>;
using UniqueKeyContext = base::UniqueHandle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using UniqueDigestContext = base::UniqueHandle<EVP_MD_CTX, EVP_MD_CTX_free>;
using UniqueSignature = base::UniqueHandle<ECDSA_SIG, ECDSA_SIG_free>;
using SharedKey = std::shared_ptr<EVP_PKEY>;

base::Error Wrong(const char* why) {
  return base::MakeError(base::ErrorCode::kInvalidArgument, why);
}

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

UniqueNumber NumberOf(std::string_view bytes) {
  return UniqueNumber(::BN_bin2bn(Bytes(bytes), static_cast<int>(bytes.size()), nullptr));
}

// nullptr: OpenSSL takes no such key. What it leaves in this thread's error queue would be taken
// for the failure of a later call.
SharedKey MakeKey(const char* type, OSSL_PARAM_BLD* builder) {
  const UniqueParameters parameters(::OSSL_PARAM_BLD_to_param(builder));
  const UniqueKeyContext context(::EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* made = nullptr;
  if (!parameters || !context || ::EVP_PKEY_fromdata_init(context.get()) != 1 ||
      ::EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    ::ERR_clear_error();
    return nullptr;
  }
  SharedKey key(made, ::EVP_PKEY_free);
  const UniqueKeyContext check(::EVP_PKEY_CTX_new_from_pkey(nullptr, made, nullptr));
  const bool good = check && ::EVP_PKEY_public_check(check.get()) == 1;
  ::ERR_clear_error();
  return good ? key : nullptr;
}

base::Result<SharedKey> MakeRsa(const Jwk& jwk) {
  const auto modulus = DecodeBase64Url(jwk.modulus);
  const auto exponent = DecodeBase64Url(jwk.exponent);
  if (!modulus || !exponent || modulus->size() > kMostRsaBits || exponent->size() > 64) {
    return Wrong("`n` or `e` is not a number");
  }
  const UniqueNumber n = NumberOf(*modulus);
  const UniqueNumber e = NumberOf(*exponent);
  if (!n || !e) return Wrong("`n` or `e` is not a number");
  if (::BN_num_bits(n.get()) < kFewestRsaBits) return Wrong("RSA of less than 2048 bits");
  if (::BN_num_bits(n.get()) > kMostRsaBits) return Wrong("RSA of more than 8192 bits");
  // With e = 1 any text would be its own signature.
  if (::BN_is_odd(e.get()) == 0 || ::BN_is_one(e.get()) != 0 ||
      ::BN_num_bits(e.get()) > kMostExponentBits) {
    return Wrong("an exponent that is even, 1, or of more than 64 bits");
  }
  const UniqueBuilder builder(::OSSL_PARAM_BLD_new());
  if (!builder || ::OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      ::OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return Wrong("OpenSSL cannot take the numbers");
  }
  SharedKey key = MakeKey("RSA", builder.get());
  if (!key) return Wrong("not an RSA key");
  return key;
}

base::Result<SharedKey> MakeP256(const Jwk& jwk) {
  if (jwk.curve != "P-256") return Wrong("another curve than P-256");
  const auto x = DecodeBase64Url(jwk.x);
  const auto y = DecodeBase64Url(jwk.y);
  if (!x || !y || x->size() != kCoordinate || y->size() != kCoordinate) {
    return Wrong("`x` or `y` is not 32 bytes");
  }
  const std::string point = "\x04" + *x + *y;  // SEC 1, section 2.3.3: not compressed
  const UniqueBuilder builder(::OSSL_PARAM_BLD_new());
  if (!builder ||
      ::OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1",
                                        0) != 1 ||
      ::OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                         point.size()) != 1) {
    return Wrong("OpenSSL cannot take the point");
  }
  SharedKey key = MakeKey("EC", builder.get());
  if (!key) return Wrong("not a point of P-256");
  return key;
}

// OpenSSL wants DER, and a JWT has the two numbers one after the other. "" = no such signature.
std::string DerOf(std::string_view signature) {
  if (signature.size() != 2 * kCoordinate) return {};
  const UniqueSignature numbers(::ECDSA_SIG_new());
  UniqueNumber r = NumberOf(signature.substr(0, kCoordinate));
  UniqueNumber s = NumberOf(signature.substr(kCoordinate));
  if (!numbers || !r || !s || ::ECDSA_SIG_set0(numbers.get(), r.get(), s.get()) != 1) return {};
  static_cast<void>(r.release());  // they are now the signature's
  static_cast<void>(s.release());
  unsigned char* der = nullptr;
  const int size = ::i2d_ECDSA_SIG(numbers.get(), &der);
  if (size <= 0) return {};
  std::string text(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return text;
}

}  // namespace

std::string_view AlgorithmName(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kRs256:
      return "RS256";
    case Algorithm::kEs256:
      return "ES256";
  }
  return "";
}

std::optional<Algorithm> ParseAlgorithm(std::string_view name) {
  for (const Algorithm algorithm : {Algorithm::kRs256, Algorithm::kEs256}) {
    if (AlgorithmName(algorithm) == name) return algorithm;
  }
  return std::nullopt;
}

base::Result<PublicKey> PublicKey::FromJwk(const Jwk& jwk) {
  if (jwk.is_secret) return Wrong("a secret key, which must not be published");
  if (jwk.id.empty()) return Wrong("a key without `kid`");
  if (!jwk.use.empty() && jwk.use != "sig") return Wrong("a key that is not for signatures");
  const bool is_rsa = jwk.type == "RSA";
  if (!is_rsa && jwk.type != "EC") return Wrong("neither RSA nor EC");
  const Algorithm algorithm = is_rsa ? Algorithm::kRs256 : Algorithm::kEs256;
  if (!jwk.algorithm.empty() && jwk.algorithm != AlgorithmName(algorithm)) {
    return Wrong("a key for another algorithm than RS256 and ES256");
  }
  auto key = is_rsa ? MakeRsa(jwk) : MakeP256(jwk);
  if (!key) return std::move(key).error();
  return PublicKey(jwk.id, algorithm, *std::move(key));
}

bool PublicKey::Verifies(std::string_view text, std::string_view signature) const {
  const std::string der = algorithm_ == Algorithm::kEs256 ? DerOf(signature) : std::string();
  const std::string_view given = algorithm_ == Algorithm::kEs256 ? der : signature;
  if (given.empty()) return false;
  const UniqueDigestContext context(::EVP_MD_CTX_new());
  const bool good =
      context &&
      ::EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
      ::EVP_DigestVerify(context.get(), Bytes(given), given.size(), Bytes(text), text.size()) == 1;
  ::ERR_clear_error();
  return good;
}

}  // namespace heliograph::auth
