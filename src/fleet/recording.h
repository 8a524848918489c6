// A recording of a battery pack, CSV, and the dataset documents (`monitoring.pms`) made of it.
// Format: a header row; columns pms.id, pms.temp, time_local, pack.id, pack.dock, pack.amps,
// pack.temp.1-3, cell.volts.1-14, cell.open.1-14 (1, or 0 or empty), fet.temp.1-2, fet.open.1-2,
// status, in any order; others are ignored.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace heliograph::fleet {

// Threads: immutable.
class Recording {
 public:
  // kInvalidArgument names the line and the column. `name` is for messages.
  static base::Result<Recording> Parse(std::string_view csv, const std::string& name);
  static base::Result<Recording> Read(const std::string& file);
  static const Recording& BuiltIn();

  std::size_t size() const noexcept { return samples_.size(); }

  // The document of one sample, compact JSON, as if it was measured at `time`, told in the
  // recording's own time zone.
  std::string Document(std::size_t sample, base::Timestamp time) const;

 private:
  // One document, cut where the time stands.
  struct Sample {
    std::string before_time;
    std::string after_time;
    std::string offset;  // "+0700"
  };
  explicit Recording(std::vector<Sample> samples) : samples_(std::move(samples)) {}

  std::vector<Sample> samples_;
};

// "20200210T150006.032+0700": compressed RFC 3339 with the offset `offset`, "+hhmm" or "-hhmm".
std::string CompressedTime(base::Timestamp time, std::string_view offset);

}  // namespace heliograph::fleet
