#include "http_client/url.h"

#include <curl/curl.h>

#include <algorithm>

#include "base/unique_handle.h"

namespace heliograph::http_client {
namespace {

bool IsUnreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

bool IsPrintable(char c) { return c > ' ' && c < 0x7f; }

base::Error Wrong(std::string_view text, std::string_view why) {
  return base::MakeError(base::ErrorCode::kInvalidArgument,
                         "'" + std::string(text) + "' is not a base URL: " + std::string(why));
}

using UrlHandle = base::UniqueHandle<CURLU, &curl_url_cleanup>;

// "" where there is none.
std::string PartOf(const UrlHandle& url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url.get(), part, &text, 0) != CURLUE_OK) return "";
  const base::UniqueHandle<char, &curl_free> owned(text);
  return text;
}

}  // namespace

std::string PercentEncode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (IsUnreserved(c)) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += kHex[byte >> 4];
    encoded += kHex[byte & 0x0f];
  }
  return encoded;
}

bool IsTrustworthy(std::string_view url) {
  constexpr std::string_view kSecure = "https://";
  if (url.starts_with(kSecure)) return url.size() > kSecure.size();
  for (const std::string_view here : {"http://127.0.0.1", "http://localhost", "http://[::1]"}) {
    if (!url.starts_with(here)) continue;
    const std::string_view rest = url.substr(here.size());
    // What only begins so, or has it for a user name, is somewhere else.
    const std::size_t path = rest.find_first_of("/?#");
    const std::string_view port = rest.substr(0, path);
    return port.empty() || (port.front() == ':' &&
                            port.find_first_not_of("0123456789", 1) == std::string_view::npos);
  }
  return false;
}

base::Result<UrlParts> ParseUrl(std::string_view text) {
  const auto wrong = [](std::string_view why) {
    return base::MakeError(base::ErrorCode::kInvalidArgument, std::string(why));
  };
  if (!std::all_of(text.begin(), text.end(), IsPrintable)) {
    return wrong("it holds spaces, or characters that a URL has in another form");
  }
  const UrlHandle url(curl_url());
  if (!url || curl_url_set(url.get(), CURLUPART_URL, std::string(text).c_str(), 0) != CURLUE_OK) {
    return wrong("it is not a URL");
  }
  UrlParts parts{PartOf(url, CURLUPART_SCHEME), PartOf(url, CURLUPART_HOST)};
  if (parts.scheme != "http" && parts.scheme != "https") {
    return wrong("it does not begin with http:// or https://");
  }
  // "https:///x" would be taken for the host x.
  if (parts.host.empty() || text.substr(parts.scheme.size()).starts_with(":///")) {
    return wrong("it names no host");
  }
  if (!PartOf(url, CURLUPART_USER).empty() || !PartOf(url, CURLUPART_PASSWORD).empty()) {
    return wrong("it holds a user name or a password");
  }
  if (text.find('#') != text.npos) return wrong("it ends in a fragment");
  if (parts.host.starts_with('[')) parts.host = parts.host.substr(1, parts.host.size() - 2);
  return parts;
}

base::Result<BaseUrl> BaseUrl::Parse(std::string_view text) {
  if (!std::all_of(text.begin(), text.end(), IsPrintable)) return Wrong(text, "it holds spaces");
  std::size_t host = 0;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (text.starts_with(scheme)) host = scheme.size();
  }
  if (host == 0) return Wrong(text, "it does not begin with http:// or https://");
  if (text.find_first_of("?#\\") != text.npos) return Wrong(text, "it ends in a query");
  const std::size_t path = std::min(text.find('/', host), text.size());
  const std::string_view authority = text.substr(host, path - host);
  if (authority.empty() || authority.front() == ':') return Wrong(text, "it names no host");
  if (authority.find('@') != authority.npos) return Wrong(text, "it holds a user name");
  while (text.size() > path && text.back() == '/') text.remove_suffix(1);
  return BaseUrl(std::string(text), path);
}

std::string BaseUrl::Join(const std::vector<std::string_view>& levels, const Query& query) const {
  std::string url = text_;
  for (const std::string_view level : levels) url += "/" + PercentEncode(level);
  char separator = '?';
  for (const auto& [name, value] : query) {
    url += separator + PercentEncode(name) + "=" + PercentEncode(value);
    separator = '&';
  }
  return url;
}

base::Result<std::string> BaseUrl::Resolve(std::string_view path) const {
  if (!path.starts_with('/') || path.starts_with("//") ||
      !std::all_of(path.begin(), path.end(), IsPrintable)) {
    return base::MakeError(base::ErrorCode::kInvalidArgument,
                           "'" + std::string(path) + "' is not a path on the same server");
  }
  return text_.substr(0, origin_size_) + std::string(path);
}

}  // namespace heliograph::http_client
