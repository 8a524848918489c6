#include "auth/jwt.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "auth/base64url.h"

namespace heliograph::auth {
namespace {

constexpr std::size_t kLongestKeyId = 256;
constexpr json::Limits kLimits{16};

base::Error Refuse(const char* why) {
  return base::MakeError(base::ErrorCode::kUnauthenticated, why);
}

std::optional<std::array<std::string_view, 3>> Split(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::size_t second = first == token.npos ? token.npos : token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos) return std::nullopt;
  return std::array{token.substr(0, first), token.substr(first + 1, second - first - 1),
                    token.substr(second + 1)};
}

std::optional<json::Value> ReadObject(std::string_view part) {
  const auto text = DecodeBase64Url(part);
  if (!text) return std::nullopt;
  auto value = json::Parse(*text, kLimits);
  if (!value || !value->is_object()) return std::nullopt;
  return std::move(*value);
}

// RFC 8725, section 3.11: what was made for another purpose says so, and is not taken for this one.
bool IsForAccess(const json::Value& header) {
  const auto type = header.find("typ");
  if (type == header.end()) return true;
  if (!type->is_string()) return false;
  const auto& text = type->get_ref<const std::string&>();
  constexpr std::array kTaken = {"JWT", "at+jwt", "application/at+jwt"};
  return std::any_of(kTaken.begin(), kTaken.end(),
                     [&](const char* each) { return ::strcasecmp(each, text.c_str()) == 0; });
}

base::Status ReadHeader(const json::Value& header, Jwt& jwt) {
  // RFC 7515, section 4.1.11: whoever does not understand all of them must refuse, and none is
  // understood here.
  if (header.contains("crit")) return Refuse("the token has a header that must be understood");
  if (!IsForAccess(header)) return Refuse("the token is of another type than JWT and at+jwt");
  const auto name = header.find("alg");
  const auto algorithm = name != header.end() && name->is_string()
                             ? ParseAlgorithm(name->get_ref<const std::string&>())
                             : std::nullopt;
  if (!algorithm) return Refuse("the token's algorithm is neither RS256 nor ES256");
  const auto id = header.find("kid");
  if (id == header.end() || !id->is_string() || id->get_ref<const std::string&>().empty() ||
      id->get_ref<const std::string&>().size() > kLongestKeyId) {
    return Refuse("the token does not name its key");
  }
  jwt.algorithm = *algorithm;
  jwt.key_id = id->get<std::string>();
  return {};
}

}  // namespace

base::Result<Jwt> ParseJwt(std::string_view token) {
  const auto parts = Split(token);
  if (!parts) return Refuse("the token is not a JWT of three parts");
  const auto& [header_part, claims_part, signature_part] = *parts;
  const auto header = ReadObject(header_part);
  if (!header) return Refuse("the token's header is not a JSON object in base64url");
  Jwt jwt;
  if (base::Status read = ReadHeader(*header, jwt); !read) return std::move(read).error();
  auto claims = ReadObject(claims_part);
  if (!claims) return Refuse("the token's claims are not a JSON object in base64url");
  auto signature = DecodeBase64Url(signature_part);
  if (!signature) return Refuse("the token's signature is not base64url");
  jwt.signed_part = token.substr(0, header_part.size() + 1 + claims_part.size());
  jwt.signature = *std::move(signature);
  jwt.claims = *std::move(claims);
  return jwt;
}

}  // namespace heliograph::auth
