#include "webhooks/secret.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <optional>
#include <utility>

namespace heliograph::webhooks {
namespace {

constexpr std::string_view kPrefix = "whsec_";
constexpr std::size_t kShortest = 24;
constexpr std::size_t kLongest = 64;
constexpr std::size_t kMade = 32;

std::string Base64(const unsigned char* bytes, std::size_t size) {
  std::string text((size + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock adds a NUL
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes, static_cast<int>(size));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

// nullopt: it is not the one form that these bytes have.
std::optional<std::string> FromBase64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  std::string bytes(text.size() / 4 * 3, '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
  if (length < 0) return std::nullopt;
  const auto padding = static_cast<std::size_t>(text.ends_with("==") ? 2 : text.ends_with('='));
  bytes.resize(static_cast<std::size_t>(length) - padding);
  // It takes white space, and bits after the last byte that are not 0.
  if (Base64(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()) != text) {
    return std::nullopt;
  }
  return bytes;
}

std::string SignatureOf(const base::Secret& secret, const std::string& content) {
  const auto key = FromBase64(std::string_view(secret.Reveal()).substr(kPrefix.size()));
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (!key || HMAC(EVP_sha256(), key->data(), static_cast<int>(key->size()),
                   reinterpret_cast<const unsigned char*>(content.data()), content.size(),
                   digest.data(), &size) == nullptr) {
    return "v1,";  // nobody accepts it
  }
  return "v1," + Base64(digest.data(), size);
}

}  // namespace

bool IsSecret(std::string_view text) {
  if (!text.starts_with(kPrefix)) return false;
  const auto bytes = FromBase64(text.substr(kPrefix.size()));
  return bytes && bytes->size() >= kShortest && bytes->size() <= kLongest;
}

base::Result<base::Secret> MakeSecret() {
  std::array<unsigned char, kMade> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    return base::MakeError(base::ErrorCode::kInternal, "the system has no random bytes");
  }
  return base::Secret(std::string(kPrefix) + Base64(bytes.data(), bytes.size()));
}

Signature Sign(const base::Secret& secret, const base::Secret& former, std::string id,
               base::Timestamp now, std::string_view body) {
  Signature signature;
  signature.id = std::move(id);
  signature.timestamp = std::to_string(
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
  std::string content = signature.id + '.' + signature.timestamp + '.';
  content.append(body);
  signature.value = SignatureOf(secret, content);
  if (!former.empty()) signature.value += ' ' + SignatureOf(former, content);
  return signature;
}

}  // namespace heliograph::webhooks
