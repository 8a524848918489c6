// Publishes to Kafka and tells the fate of every record. Idempotent, acks=all, partitioner
// murmur2_random.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

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
  std::string_view key;  // "" = no key: any partition
  std::string_view payload;
  std::span<const Header> headers;
  // The number of partitions that the key is shared out among; 0 = as many as Kafka says there are
  // at that moment.
  std::int32_t partitions = 0;
};

struct Delivery {
  std::uint64_t tag = 0;  // what Send was given
  bool ok = false;
  base::Error error;  // where not ok; kCancelled: given up by the producer's destructor
  std::int32_t partition = -1;
  std::int64_t offset = -1;
};

// Called on the thread that calls Poll or Flush, or on thread "kafka-reports" when the producer has
// one. Must not call the producer.
using DeliveryCallback = std::function<void(const Delivery&)>;

struct ProducerOptions {
  std::string client_id{};  // shows in Kafka's logs
  std::size_t max_message_bytes =
      1048576 + 65536;                  // key, payload and headers: the largest packet + 64 KiB
  std::chrono::milliseconds linger{2};  // how long a record waits for company
  std::size_t max_queued_bytes = 64 * 1024 * 1024;
  // 0 = a record is never given up: reports then come in the order of Send for each partition,
  // without a gap, and an error that would make a gap ends the producer (fatal()). Otherwise each
  // record is given up by itself.
  std::chrono::milliseconds message_timeout{0};
  int wakeup_fd =
      -1;  // an eventfd, written when Poll has something to do; -1 = an own thread polls
};

// Threads: Send and the destructor from one thread; see DeliveryCallback for reports; the rest from
// any.
class Producer {
 public:
  // Throws StartupError; does not wait for a broker.
  Producer(const ClusterConfig& cluster, const ProducerOptions& options,
           DeliveryCallback on_delivery);
  // Gives up what is not delivered, without waiting for Kafka; reports it first.
  ~Producer();
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  // If ok, on_delivery is called exactly once with `tag`. kTooLarge: over max_message_bytes,
  // retrying is useless. kUnavailable: the local queue is full. kNotFound: there is no such
  // partition (yet). Records of equal key, topic and `partitions` keep their order.
  base::Status Send(const Record& record, std::uint64_t tag);
  // Serves what waits, at most about `most` reports. Never blocks. Returns the number of reports.
  // Only with a wakeup_fd.
  std::size_t Poll(std::size_t most = SIZE_MAX);
  // Waits until every record is reported or the time is over. True = all are reported.
  bool Flush(std::chrono::milliseconds limit);

  std::size_t in_flight() const;  // sent, not reported
  // "" or why this producer is of no use any more: destroy it and make another.
  std::string fatal() const;
  std::string unreachable() const;  // "" while brokers answer, else why not: for /readyz

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace heliograph::kafka
