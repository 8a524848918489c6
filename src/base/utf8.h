// UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing beyond U+10FFFF.
#pragma once

#include <cstddef>
#include <string_view>

namespace heliograph::base {

// How many bytes at the front of `text` are valid UTF-8; all of them when the result is
// text.size().
std::size_t ValidUtf8Prefix(std::string_view text);

inline bool IsUtf8(std::string_view text) { return ValidUtf8Prefix(text) == text.size(); }

}  // namespace heliograph::base
