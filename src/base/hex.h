// Hexadecimal text.
#pragma once

#include <string>
#include <string_view>

namespace heliograph::base {

// Two lower-case digits for each byte. Threads: any thread.
std::string ToHex(std::string_view bytes);

}  // namespace heliograph::base
