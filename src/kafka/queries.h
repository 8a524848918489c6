// Questions to brokers that any client may ask. Included by this folder's .cc files only.
#pragma once

#include <chrono>

#include "base/result.h"
#include "kafka/client.h"
#include "kafka/consumer.h"

namespace heliograph::kafka {

base::Result<Watermarks> QueryWatermarks(rd_kafka_t& client, const TopicPartition& partition,
                                         std::chrono::milliseconds limit);

struct TopicShape {
  int partitions = 0;
  int replicas = 0;  // of the partition that has the fewest
};

// kNotFound: there is no such topic. `client` must not be a producer, whose question may create the
// topic.
base::Result<TopicShape> QueryShape(rd_kafka_t& client, const std::string& topic,
                                    std::chrono::milliseconds limit);

}  // namespace heliograph::kafka
