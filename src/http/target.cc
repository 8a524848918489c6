#include "http/target.h"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace heliograph::http {
namespace {

base::Error Wrong(const char* what) {
  return base::MakeError(base::ErrorCode::kInvalidArgument, what);
}

std::optional<unsigned> HexDigit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return std::nullopt;
}

// How many bytes a UTF-8 sequence has, by its first one; 0 = none begins so. `least` is the
// smallest code point that may be written in that many (RFC 3629: no overlong forms).
std::size_t SequenceLength(unsigned char first, std::uint32_t& code, std::uint32_t& least) {
  if (first < 0x80) return code = first, least = 0, 1;
  if (first >= 0xc2 && first < 0xe0) return code = first & 0x1fU, least = 0x80, 2;
  if (first >= 0xe0 && first < 0xf0) return code = first & 0x0fU, least = 0x800, 3;
  if (first >= 0xf0 && first < 0xf5) return code = first & 0x07U, least = 0x10000, 4;
  return 0;
}

bool IsUtf8WithoutNul(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    std::uint32_t code = 0;
    std::uint32_t least = 0;
    const std::size_t length = SequenceLength(static_cast<unsigned char>(text[i]), code, least);
    if (length == 0 || length > text.size() - i) return false;
    for (std::size_t k = 1; k < length; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xc0U) != 0x80) return false;
      code = code << 6 | (next & 0x3fU);
    }
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    if (code == 0 || code < least || code > 0x10ffff || surrogate) return false;
    i += length;
  }
  return true;
}

bool StartsWithIgnoringCase(std::string_view text, std::string_view lower_case_start) {
  return text.size() >= lower_case_start.size() &&
         std::equal(lower_case_start.begin(), lower_case_start.end(), text.begin(),
                    [](char wanted, char c) {
                      return wanted == (c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
                    });
}

// "http://host:80/a?b" -> "/a?b"; unchanged when it is no absolute-form. Nothing when it names no
// host.
std::optional<std::string> WithoutAuthority(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!StartsWithIgnoringCase(target, scheme)) continue;
    target.remove_prefix(scheme.size());
    const std::size_t end = std::min(target.find_first_of("/?"), target.size());
    if (end == 0) return std::nullopt;
    const std::string_view rest = target.substr(end);
    return (rest.starts_with('/') ? "" : "/") + std::string(rest);
  }
  return std::string(target);
}

base::Status ParseQuery(std::string_view text, Target& target) {
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    auto name = PercentDecode(pair.substr(0, equals), true);
    if (!name) return std::move(name).error();
    auto value = PercentDecode(
        equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1), true);
    if (!value) return std::move(value).error();
    target.query.emplace_back(*std::move(name), *std::move(value));
  }
  return {};
}

}  // namespace

base::Result<std::string> PercentDecode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      if (text.size() - i < 3) return Wrong("a percent sign without two hexadecimal digits");
      const auto high = HexDigit(text[i + 1]);
      const auto low = HexDigit(text[i + 2]);
      if (!high || !low) return Wrong("a percent sign without two hexadecimal digits");
      out += static_cast<char>(*high << 4 | *low);
      i += 2;
    }
  }
  if (!IsUtf8WithoutNul(out)) return Wrong("the decoded text is not UTF-8, or holds U+0000");
  return out;
}

base::Result<Target> ParseTarget(std::string_view method, std::string_view target) {
  Target parsed;
  if (target == "*") {
    if (method != "OPTIONS") return Wrong("the target '*' is for OPTIONS");
    parsed.raw_path = parsed.path = "*";
    return parsed;
  }
  const bool printable = std::all_of(target.begin(), target.end(),
                                     [](char c) { return c > ' ' && c < 0x7f && c != '#'; });
  if (!printable) return Wrong("the target holds a character that must be percent-encoded");
  const auto origin = WithoutAuthority(target);
  if (!origin || !origin->starts_with('/')) return Wrong("the target is not a path");
  const std::size_t question = std::min(origin->find('?'), origin->size());
  parsed.raw_path = origin->substr(0, question);
  auto path = PercentDecode(parsed.raw_path, false);
  if (!path) return std::move(path).error();
  parsed.path = *std::move(path);
  if (question < origin->size()) {
    if (auto query = ParseQuery(std::string_view(*origin).substr(question + 1), parsed); !query) {
      return std::move(query).error();
    }
  }
  return parsed;
}

}  // namespace heliograph::http
