// Which connection something is for.
#pragma once

#include <cstdint>

namespace heliograph::http {

// Names a connection also after it has gone: descriptors are used again, ids are not.
struct ConnectionId {
  int fd = -1;
  std::uint64_t id = 0;
};

}  // namespace heliograph::http
