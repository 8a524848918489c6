#include "api/media_type.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace heliograph::api {
namespace {

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

// `charset=utf-8`, quoted or not; other parameters mean nothing to JSON (RFC 8259, section 11).
bool IsAcceptable(std::string_view parameter) {
  const std::string lower = Lower(Trim(parameter));
  if (!lower.starts_with("charset=")) return true;
  const std::string_view charset = std::string_view(lower).substr(8);
  return charset == "utf-8" || charset == "\"utf-8\"";
}

}  // namespace

bool IsJson(const http::Request& request) {
  const auto encoding = request.Header("content-encoding");
  if (encoding && Lower(Trim(*encoding)) != "identity") return false;
  const auto header = request.Header("content-type");
  if (!header) return false;
  std::string_view rest = *header;
  auto semicolon = rest.find(';');
  if (Lower(Trim(rest.substr(0, semicolon))) != "application/json") return false;
  while (semicolon != std::string_view::npos) {
    rest.remove_prefix(semicolon + 1);
    semicolon = rest.find(';');
    if (!IsAcceptable(rest.substr(0, semicolon))) return false;
  }
  return true;
}

}  // namespace heliograph::api
