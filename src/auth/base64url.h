// Base64 with the alphabet for URLs and without padding: RFC 4648, section 5, as RFC 7515 wants it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace heliograph::auth {

// nullopt: another character, padding, an impossible length, or bits after the last byte that are
// not 0. So each text of bytes has one form, and no two tokens mean the same.
std::optional<std::string> DecodeBase64Url(std::string_view text);

}  // namespace heliograph::auth
