// A public key of an identity provider, and what it verifies. No OpenSSL in sight.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

struct evp_pkey_st;

namespace heliograph::auth {

// All that are taken; there is no way to name another one, nor `none`.
enum class Algorithm {
  kRs256,  // RSASSA-PKCS1-v1_5 with SHA-256
  kEs256,  // ECDSA with P-256 and SHA-256
};

std::string_view AlgorithmName(Algorithm algorithm);             // "RS256": RFC 7518, section 3.1
std::optional<Algorithm> ParseAlgorithm(std::string_view name);  // exactly so written

// The members of a JSON Web Key (RFC 7517) that count here; "" = it has none of that name.
struct Jwk {
  std::string id;         // kid
  std::string type;       // kty
  std::string algorithm;  // alg
  std::string use;
  std::string modulus, exponent;  // n, e: big-endian numbers in base64url
  std::string curve, x, y;        // crv
  bool is_secret = false;         // it carries a private or a shared key
};

// It verifies one algorithm, which follows from the key and never from a token. Threads: immutable.
class PublicKey {
 public:
  // kInvalidArgument: a secret, a key for another purpose or algorithm, one without an id, RSA of
  // less than 2048 bits or more than 8192, an exponent that is even or below 3, a point that is
  // not on P-256.
  static base::Result<PublicKey> FromJwk(const Jwk& jwk);

  const std::string& id() const noexcept { return id_; }
  Algorithm algorithm() const noexcept { return algorithm_; }

  // The signature's bytes as RFC 7515 has them: for ES256 r and s, 32 bytes each, and not DER.
  bool Verifies(std::string_view text, std::string_view signature) const;

 private:
  PublicKey(std::string id, Algorithm algorithm, std::shared_ptr<evp_pkey_st> key)
      : id_(std::move(id)), algorithm_(algorithm), key_(std::move(key)) {}

  std::string id_;
  Algorithm algorithm_;
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace heliograph::auth
