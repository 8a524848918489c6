#include "auth/sha256.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <stdexcept>

#include "base/hex.h"
#include "base/unique_handle.h"

namespace heliograph::auth {
namespace {

// Fetched once: looking the algorithm up at each call costs more than the hash of a token.
const EVP_MD* Algorithm() {
  static const base::UniqueHandle<EVP_MD, EVP_MD_free> algorithm(
      ::EVP_MD_fetch(nullptr, "SHA256", nullptr));
  return algorithm.get();
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Digest Sha256(std::string_view data) {
  Digest digest{};
  if (::EVP_Digest(data.data(), data.size(), digest.data(), nullptr, Algorithm(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL cannot compute SHA-256");
  }
  return digest;
}

std::string WriteHex(const Digest& digest) {
  return base::ToHex(std::string(digest.begin(), digest.end()));
}

std::optional<Digest> ParseHex(std::string_view text) {
  Digest digest{};
  if (text.size() != digest.size() * 2) return std::nullopt;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const int high = HexValue(text[2 * i]);
    const int low = HexValue(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    digest[i] = static_cast<unsigned char>(high * 16 + low);
  }
  return digest;
}

bool EqualInConstantTime(const Digest& one, const Digest& other) noexcept {
  return ::CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

}  // namespace heliograph::auth
