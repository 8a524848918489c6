// Secrets come from files: a flag would be in everybody's `ps`.
#pragma once

#include <string>

#include "base/result.h"
#include "base/secret.h"

namespace heliograph::ctl {

// The file's content without white space at its end. kInvalidArgument: it cannot be read, or is
// empty; `what` names it in the message, as "token".
base::Result<base::Secret> ReadSecretFile(const std::string& file, const std::string& what);

}  // namespace heliograph::ctl
