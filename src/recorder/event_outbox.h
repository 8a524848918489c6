// Events between the commit of what they tell and Kafka's confirmation: the rows of connection_log
// that are not told yet and that this process is responsible for, partition by partition, in the
// order of the log.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "metrics/metrics.h"
#include "postgres/outbox_store.h"
#include "recorder/publisher.h"

namespace heliograph::recorder {

// Threads: one thread.
class EventOutbox {
 public:
  EventOutbox(Publisher& publisher, std::string topic, metrics::Registry& metrics);

  // Committed rows, newer than all before of their partitions. They are sent at once.
  void Publish(std::vector<postgres::OutboxRow> rows);
  // A partition that this process got, with what its former owner left.
  void Take(std::int32_t partition, std::vector<postgres::OutboxRow> left);
  // A partition that this process lost: its rows are the next owner's business, confirmed or not.
  void GiveUp(std::int32_t partition);

  // What Kafka has confirmed and the database does not know yet; the same until Noted was told.
  std::vector<postgres::OutboxPlace> Confirmed() const;
  void Noted(const std::vector<postgres::OutboxPlace>& places);

  std::size_t bytes() const;  // waiting for Kafka

 private:
  struct Waiting {
    postgres::OutboxPlace place;
    std::shared_ptr<Ticket> ticket;
    std::size_t bytes = 0;
  };

  void Send(postgres::OutboxRow row);

  Publisher& publisher_;
  const std::string topic_;
  metrics::Counter published_;
  metrics::Gauge rows_;
  std::map<std::int32_t, std::deque<Waiting>> waiting_;  // by partition, in its order
};

}  // namespace heliograph::recorder
