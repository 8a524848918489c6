// Kafka's topics: what `topics` does.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ctl/console.h"
#include "ctl/exit_code.h"
#include "ctl/kafka_options.h"
#include "kafka/topics.h"

namespace heliograph::ctl {

struct TopicsOptions {
  KafkaOptions kafka;
  // As the daemons' own defaults; connection.events is the recorder's.
  std::vector<std::string> topics = {"device.control:3:2", "device.data:3:2",
                                     "device.dead-letter:3:2", "connection.events:3:2"};
  std::string keep = "device.control";  // the one that the state is rebuilt from; "" = none
  std::int64_t max_packet_bytes = 1024 * 1024;
  double timeout_s = 15;
};

// kInvalidArgument: a topic that is not name:partitions:replicas, or is named twice.
base::Result<std::vector<kafka::TopicPlan>> PlansOf(const TopicsOptions& options);

// Creates what is missing, reports what differs, changes nothing that is there. kNo when something
// would lose records.
base::Result<ExitCode> ApplyTopics(const TopicsOptions& options, const Console& console);
// As ApplyTopics; a missing topic is reported too.
base::Result<ExitCode> CheckTopics(const TopicsOptions& options, const Console& console);

}  // namespace heliograph::ctl
