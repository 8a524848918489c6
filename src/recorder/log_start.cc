#include "recorder/log_start.h"

namespace heliograph::recorder {

Start DecideStart(const std::optional<postgres::LogOffset>& stored, const kafka::Watermarks& log,
                  std::optional<base::Timestamp> last_record_time) {
  if (!stored) return {StartKind::kFirst, log.begin, 0};
  if (stored->next_offset > log.end) return {StartKind::kRecreated, log.begin, 0};
  if (stored->next_offset < log.begin) {
    return {StartKind::kMissing, log.begin, log.begin - stored->next_offset};
  }
  const bool another = stored->last_record_time && last_record_time &&
                       *stored->last_record_time != *last_record_time;
  if (another) return {StartKind::kRecreated, log.begin, 0};
  return {StartKind::kContinue, stored->next_offset, 0};
}

}  // namespace heliograph::recorder
