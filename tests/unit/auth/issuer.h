// An identity provider for tests: makes keys, publishes them and signs tokens, good ones and
// others.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_pkey_st;

namespace heliograph::auth {

std::string EncodeBase64Url(std::string_view bytes);

// Threads: one thread.
class SigningKey {
 public:
  static SigningKey Rsa(unsigned bits, unsigned long exponent = 65537);
  static SigningKey P256();
  static SigningKey P384();

  // The public half as a JSON Web Key, with `more` as in R"(,"use":"sig")".
  std::string Jwk(std::string_view id, std::string_view more = "") const;
  std::string Pem() const;  // the public half

  std::string Signature(std::string_view text) const;     // as JWTs have it
  std::string DerSignature(std::string_view text) const;  // as OpenSSL has it

 private:
  explicit SigningKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}
  std::shared_ptr<evp_pkey_st> key_;
};

// Header and claims in base64url with the dot between: what is signed.
std::string Unsigned(std::string_view header, std::string_view claims);
std::string Sign(const SigningKey& key, std::string_view header, std::string_view claims);
std::string SignWithSecret(std::string_view secret, std::string_view header,
                           std::string_view claims);  // HS256

// Made once for all tests of the process: RSA keys take time.
const SigningKey& RsaKey();
const SigningKey& EcKey();

}  // namespace heliograph::auth
