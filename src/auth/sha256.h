// SHA-256 (FIPS 180-4).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace heliograph::auth {

using Digest = std::array<unsigned char, 32>;

// Threads: any thread. Throws std::runtime_error where OpenSSL has no SHA-256.
Digest Sha256(std::string_view data);

std::string WriteHex(const Digest& digest);             // lower case
std::optional<Digest> ParseHex(std::string_view text);  // either case

// In a time that does not depend on where they differ.
bool EqualInConstantTime(const Digest& one, const Digest& other) noexcept;

}  // namespace heliograph::auth
