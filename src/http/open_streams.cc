#include "http/open_streams.h"

namespace heliograph::http {

bool OpenStreams::TryBegin() {
  if (open_.fetch_add(1) >= max_) {
    open_.fetch_sub(1);
    return false;
  }
  metrics_.StreamsChanged(+1);
  return true;
}

void OpenStreams::Ended(StreamEnd reason) {
  open_.fetch_sub(1);
  metrics_.StreamsChanged(-1);
  if (reason == StreamEnd::kTooSlow) metrics_.StreamDropped();
}

}  // namespace heliograph::http
