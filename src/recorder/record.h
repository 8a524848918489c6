// A record of Kafka as the rules see it, without Kafka's library.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace heliograph::recorder {

// Views live as long as what they were taken from.
struct Record {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  base::Timestamp time{};  // when Kafka stored it
  std::string_view key;
  std::string_view payload;
  std::vector<std::string_view> headers = {};  // Applier::Headers, in that order; "" = missing
};

// A record that goes to the dead letters.
struct Refusal {
  std::size_t record = 0;   // index into the batch
  std::string_view reason;  // a fixed word of docs/PROTOCOL.md
  std::string detail;
};

}  // namespace heliograph::recorder
