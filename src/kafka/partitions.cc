#include "kafka/partitions.h"

#include <librdkafka/rdkafka.h>

#include <utility>

namespace heliograph::kafka {

std::int32_t PartitionOf(std::string_view key, std::int32_t count) {
  return rd_kafka_msg_partitioner_murmur2(nullptr, key.data(), key.size(), count, nullptr, nullptr);
}

bool SteadyCount::Tell(int told) {
  const bool again = std::exchange(candidate_, told) == told;
  if (told == count_ || (count_ != 0 && !again)) return false;
  count_ = told;
  return true;
}

}  // namespace heliograph::kafka
