// Puts URLs together from parts that may hold anything.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace heliograph::http_client {

// Names and values as they are meant, not yet encoded.
using Query = std::vector<std::pair<std::string, std::string>>;

// RFC 3986 section 2.3: all but letters, digits and "-._~" becomes %XX.
std::string PercentEncode(std::string_view text);

// Whether what comes from there is from whom it says: https, or http that stays on this machine.
bool IsTrustworthy(std::string_view url);

// What a URL that somebody else chose names, as libcurl reads it: the host 0x7f.1 is 127.0.0.1.
struct UrlParts {
  std::string scheme;  // "http" or "https"
  std::string host;    // a name, or an address without brackets
};

// kInvalidArgument says why: another scheme, no host, a user name, a fragment, spaces or bytes that
// are not ASCII.
base::Result<UrlParts> ParseUrl(std::string_view text);

// Threads: immutable.
class BaseUrl {
 public:
  // Takes "http://host:8080" or "https://host/below"; a slash at the end does not matter.
  // kInvalidArgument: another scheme, no host, a user name, a query or a fragment.
  static base::Result<BaseUrl> Parse(std::string_view text);

  // `levels` are encoded, so that an id with a slash in it stays one level: {"v1", "connections",
  // id}.
  std::string Join(const std::vector<std::string_view>& levels, const Query& query = {}) const;

  // For a reference that the same server gave, as in a Location header: a path that begins with one
  // slash. kInvalidArgument for anything else: an answer must not send the caller's token
  // elsewhere.
  base::Result<std::string> Resolve(std::string_view path) const;

  const std::string& str() const { return text_; }

 private:
  BaseUrl(std::string text, std::size_t origin_size)
      : text_(std::move(text)), origin_size_(origin_size) {}

  std::string text_;         // without a slash at the end
  std::size_t origin_size_;  // of scheme, host and port
};

}  // namespace heliograph::http_client
