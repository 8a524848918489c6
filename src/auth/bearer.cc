#include "auth/bearer.h"

#include <strings.h>

#include <algorithm>

namespace heliograph::auth {
namespace {

// A JWT with many claims fits; nothing needs more.
constexpr std::size_t kLongestToken = 8192;
constexpr std::string_view kScheme = "Bearer ";

// b64token: 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
bool IsToken(std::string_view text) {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~+/").find(c) != std::string_view::npos;
  });
}

base::Error Refuse(const char* why) {
  return base::MakeError(base::ErrorCode::kUnauthenticated, why);
}

}  // namespace

base::Result<std::string_view> ParseBearer(std::optional<std::string_view> header) {
  if (!header || header->empty()) return Refuse("the request has no Authorization header");
  std::string_view rest = *header;
  if (rest.size() < kScheme.size() ||
      ::strncasecmp(rest.data(), kScheme.data(), kScheme.size()) != 0) {
    return Refuse("the Authorization header is not of the scheme Bearer");
  }
  rest.remove_prefix(kScheme.size());
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  if (rest.size() > kLongestToken || !IsToken(rest)) return Refuse("the bearer token is malformed");
  return rest;
}

}  // namespace heliograph::auth
