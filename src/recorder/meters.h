// What a follower counts and measures.
#pragma once

#include <cstdint>
#include <string>

#include "metrics/metrics.h"

namespace heliograph::recorder {

// Threads: any thread.
class Meters {
 public:
  Meters(metrics::Registry& metrics, const std::string& topic);

  metrics::Counter records;         // committed
  metrics::Counter batches;         // committed
  metrics::Counter failed_batches;  // to be tried again
  metrics::Counter fenced;
  metrics::Counter missing_records;
  metrics::Histogram batch_seconds;

  void SetLag(std::int32_t partition, std::int64_t records_behind) const;
  void ForgetLag(std::int32_t partition) const;

 private:
  metrics::Registry& metrics_;
  const std::string topic_;
};

}  // namespace heliograph::recorder
