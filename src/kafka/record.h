// A record that was read from Kafka.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/clock.h"

struct rd_kafka_message_s;

namespace heliograph::kafka {

// Owns librdkafka's message; the views live as long as it does, also after a move. It may not
// outlive the Consumer or LogReader that it came from. Threads: one thread at a time.
class ConsumedRecord {
 public:
  explicit ConsumedRecord(rd_kafka_message_s* message) : message_(message) {}

  std::string_view topic() const;
  std::int32_t partition() const;
  std::int64_t offset() const;
  std::string_view key() const;  // "" without a key, too
  bool has_key() const;
  std::string_view payload() const;  // "" for a tombstone, too
  bool is_tombstone() const;         // a null value, which is not an empty one
  base::Timestamp time() const;  // when Kafka stored it, where is_log_append_time(); milliseconds
  bool is_log_append_time() const;
  // The last header of that name.
  std::optional<std::string_view> Header(const char* name) const;

 private:
  struct Destroy {
    void operator()(rd_kafka_message_s* message) const noexcept;
  };
  std::unique_ptr<rd_kafka_message_s, Destroy> message_;
};

}  // namespace heliograph::kafka
