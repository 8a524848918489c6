#include "ingest/acknowledgements.h"

#include "ingest/invariant.h"

namespace heliograph::ingest {

base::Result<Acknowledgements::Flushed> Acknowledgements::Flush() {
  Invariant(window_.MayWrite(),
            "an acknowledgement was about to leave for a record that Kafka has not confirmed");
  flushing_ = true;
  if (outlet_.WantsWrite()) {
    base::Status written = outlet_.WritePending();
    if (!written) {
      flushing_ = false;
      return std::move(written).error();
    }
    if (outlet_.WantsWrite()) return Flushed::kPartly;
  }
  flushing_ = false;
  return Flushed::kAll;
}

}  // namespace heliograph::ingest
