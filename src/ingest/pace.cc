#include "ingest/pace.h"

namespace heliograph::ingest {

void Pace::Came(int messages, base::SteadyTime now) {
  const auto span = now - began_;
  if (span >= kPaceSpan) {
    const auto enough = kBusyRate * std::chrono::duration<double, std::milli>(span).count();
    busy_ = count_ > enough;
    count_ = 0;
    began_ = now;
  }
  count_ += messages;
}

}  // namespace heliograph::ingest
