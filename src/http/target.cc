#include "http/target.h"

#include <algorithm>
#include <optional>

#include "base/utf8.h"

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
  if (!base::IsUtf8(out) || out.find('\0') != std::string::npos)
    return Wrong("the decoded text is not UTF-8, or holds U+0000");
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
