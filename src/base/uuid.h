// Random identifiers: UUID version 4 (RFC 9562), lower case with hyphens.
#pragma once

#include <string>
#include <string_view>

namespace heliograph::base {

// Threads: any thread. Randomness is the kernel's; throws std::system_error when it has none.
std::string NewUuid();

// Whether the text is a UUID of any version in the form that NewUuid writes (upper case is taken
// too).
bool IsUuid(std::string_view text);

}  // namespace heliograph::base
