// Publishes to Kafka and tells the fate of every record. Idempotent, acks=all, partitioner murmur2_random.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kafka/config.h"

namespace heliograph::kafka {

struct Header {
  std::string_view name;
  std::string_view value;
};

// Views; everything is copied before Send returns.
struct Record {
  std::string_view topic;
  std::string_view key;
  std::string_view payload;
  std::span<const Header> headers;
};

struct Delivery {
  std::uint64_t tag = 0;  // what Send was given
  bool ok = false;
  bool fatal = false;          // the producer is of no use any more: destroy it and make another
  base::Error error;           // where not ok; kTooLarge: Kafka will never take it
  std::int32_t partition = -1;
  std::int64_t offset = -1;
};

// Called on the thread that calls Poll, or on thread "kafka-reports" when the producer has one.
using DeliveryCallback = std::function<void(const Delivery&)>;

struct ProducerOptions {
  std::string client_id;                   // shows in Kafka's logs
  std::size_t max_message_bytes = 1048576 + 65536;
  std::chrono::milliseconds linger{2};
  std::size_t max_queued_bytes = 64 * 1024 * 1024;
  std::chrono::milliseconds message_timeout{0};  // 0 = never gives up, which keeps the order (see libraries' notes)
  int wakeup_fd = -1;                      // eventfd written when delivery reports wait (ingest polls it); -1 = own thread polls
};

// Threads: one thread; see DeliveryCallback for reports.
class Producer {
 public:
  Producer(const ClusterConfig& cluster, const ProducerOptions& options, DeliveryCallback on_delivery);  // throws StartupError
  ~Producer();  // purges what is not delivered; does not wait for Kafka
  // If ok, on_delivery is called exactly once with `tag`. kTooLarge: retrying is useless. kUnavailable: local queue is full.
  base::Status Send(const Record& record, std::uint64_t tag);
  // Serves delivery reports (only without an own thread). Never blocks.
  int Poll();
  // Waits until every record is delivered or the time is over. True = all delivered.
  bool Flush(std::chrono::milliseconds limit);
  std::size_t in_flight() const;
  // "" while brokers answer, else why not: for /readyz.
  std::string unreachable() const;
};

}  // namespace heliograph::kafka
