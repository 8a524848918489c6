// Events of committed changes that Kafka has not confirmed: table connection_events_outbox.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "postgres/transaction.h"

namespace heliograph::postgres {

// Some events of one partition of device.control, in its order.
struct OutboxRow {
  std::int32_t partition = 0;
  std::int32_t generation = 1;
  std::int64_t first_offset = 0;
  std::int64_t last_offset = 0;
  std::string events;  // one a line: client id, a tab, JSON
};

base::Status AddToOutbox(Transaction& transaction, const std::vector<OutboxRow>& rows);

// What is left of a partition, in the order of its log.
base::Result<std::vector<OutboxRow>> ReadOutbox(Connection& connection, std::int32_t partition);

// The row and all before it. What Kafka confirmed may be removed by anybody at any time.
struct OutboxPlace {
  std::int32_t partition = 0;
  std::int32_t generation = 1;
  std::int64_t first_offset = 0;
};
base::Status RemoveFromOutbox(Transaction& transaction, const std::vector<OutboxPlace>& up_to);

// The first row of each partition that has any.
base::Result<std::vector<OutboxPlace>> OldestInOutbox(Connection& connection);

}  // namespace heliograph::postgres
