#include "base/unique_fd.h"

#include <unistd.h>

namespace heliograph::base {

UniqueFd::~UniqueFd() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace heliograph::base
