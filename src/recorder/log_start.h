// Where reading a partition goes on, and whether it is still the log that it was. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "kafka/consumer.h"
#include "postgres/offset_store.h"

namespace heliograph::recorder {

enum class StartKind {
  kFirst,      // nothing of it was ever applied: begin where the log begins
  kContinue,   // go on at the stored offset
  kRecreated,  // another log of the same name: a new generation, from its beginning
  kMissing,    // the log was shortened past the stored offset: records are lost
};

struct Start {
  StartKind kind = StartKind::kFirst;
  std::int64_t offset = 0;
  std::int64_t missing = 0;  // records
};

// `last_record_time`: of the record before the stored offset as the log has it now; nullopt where
// it does not hold it. librdkafka 2.0.2 cannot tell a topic's id, so the log is recognised by when
// that record was stored.
Start DecideStart(const std::optional<postgres::LogOffset>& stored, const kafka::Watermarks& log,
                  std::optional<base::Timestamp> last_record_time);

}  // namespace heliograph::recorder
