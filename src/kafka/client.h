// What producer, consumer and admin share: settings become a librdkafka handle, its log lines
// become ours, and its errors and statistics become one answer to "is Kafka there?". Included by
// this folder's .cc files only.
#pragma once

#include <librdkafka/rdkafka.h>

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/unique_handle.h"
#include "kafka/config.h"
#include "log/log.h"

namespace heliograph::kafka {

using ConfHandle = base::UniqueHandle<rd_kafka_conf_t, rd_kafka_conf_destroy>;
using ClientHandle = base::UniqueHandle<rd_kafka_t, rd_kafka_destroy>;
using QueueHandle = base::UniqueHandle<rd_kafka_queue_t, rd_kafka_queue_destroy>;
using PartitionListHandle =
    base::UniqueHandle<rd_kafka_topic_partition_list_t, rd_kafka_topic_partition_list_destroy>;

using Properties = std::vector<std::pair<std::string, std::string>>;

// Knows whether brokers answer. librdkafka tells when all are gone, but not when they are back, and
// only after many seconds that they are silent. Both are read from its statistics, four times a
// second: how long ago something came, and whether an answer is waited for. Threads: any thread.
class Reachability {
 public:
  void OnError(rd_kafka_resp_err_t code, std::string_view text);
  void OnStatistics(std::string_view json);
  // A broker answered something. Counts only before anything else is known: what is handed out may
  // have come before an outage.
  void OnAnswer();
  std::string Reason() const;  // "" while brokers answer

 private:
  mutable std::mutex mutex_;
  bool known_ = false;  // guarded by mutex_, as is the rest
  bool reachable_ = false;
  int silent_ticks_ = 0;  // statistics in a row in which no broker was up, or none answered
  std::string last_error_ = "no broker has answered yet";
};

// The opaque pointer of every handle; must outlive it. Threads: any thread.
struct ClientState {
  Reachability reachability;
  const log::Logger logger{"kafka"};
  log::RateLimit log_limit{std::chrono::seconds(30)};
};

// Our defaults, then the site's properties, then `essential`. Throws StartupError when librdkafka
// refuses one.
ConfHandle MakeConf(const ClusterConfig& cluster, const Properties& defaults,
                    const Properties& essential, ClientState& state);

// Throws StartupError.
ClientHandle MakeClient(rd_kafka_type_t type, ConfHandle conf);

// What a caller may do about librdkafka's code.
base::ErrorCode ToErrorCode(rd_kafka_resp_err_t code);
base::Error ToError(rd_kafka_resp_err_t code, std::string_view doing);

}  // namespace heliograph::kafka
