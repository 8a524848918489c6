// The request target (RFC 9112, section 3.2), taken apart and decoded.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace heliograph::http {

struct Target {
  std::string raw_path;  // begins with '/', or is "*"
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;
};

// Takes origin-form, absolute-form with http or https, and "*" for OPTIONS. Decoded text must be
// UTF-8 without U+0000, for that is what everything behind us can hold. kInvalidArgument says what
// was wrong.
base::Result<Target> ParseTarget(std::string_view method, std::string_view target);

// Undoes percent-encoding; `plus_is_space` as forms have it. kInvalidArgument: a broken escape,
// U+0000 or not UTF-8.
base::Result<std::string> PercentDecode(std::string_view text, bool plus_is_space);

}  // namespace heliograph::http
