#include "ctl/secret_file.h"

#include <fstream>
#include <iterator>

namespace heliograph::ctl {

base::Result<base::Secret> ReadSecretFile(const std::string& file, const std::string& what) {
  std::ifstream in(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  if (text.empty()) {
    return base::MakeError(base::ErrorCode::kInvalidArgument,
                           "the " + what + " file '" + file + "' cannot be read, or is empty");
  }
  return base::Secret(std::move(text));
}

}  // namespace heliograph::ctl
