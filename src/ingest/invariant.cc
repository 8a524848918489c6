#include "ingest/invariant.h"

#include <cstdlib>

#include "log/log.h"

namespace heliograph::ingest {

void Invariant(bool holds, const char* what) noexcept {
  if (holds) [[likely]]
    return;
  log::Logger("ingest").Error("invariant broken, the process ends itself", {{"invariant", what}});
  std::abort();
}

}  // namespace heliograph::ingest
