// Tells one content from another in a few bytes. Pure.
#pragma once

#include <string>
#include <string_view>

namespace heliograph::owner {

// FNV-1a, 64 bits (draft-eastlake-fnv), in hexadecimal: the same in every process. No protection
// against forgery.
std::string Checksum(std::string_view content);

}  // namespace heliograph::owner
