// What of the log of connections (connection_log.h) Kafka has not confirmed: every row after the
// place of its partition in connection_log_told.
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
  std::string events;  // lines of connection_log.h
};

base::Status AddToOutbox(Transaction& transaction, const std::vector<OutboxRow>& rows);

// What is left of a partition, in the order of its log.
base::Result<std::vector<OutboxRow>> ReadOutbox(Connection& connection, std::int32_t partition);

// The row and all before it of its partition. What Kafka confirmed may be noted by anybody at any
// time; the place never moves back.
struct OutboxPlace {
  std::int32_t partition = 0;
  std::int32_t generation = 1;
  std::int64_t first_offset = 0;
};
base::Status NoteTold(Transaction& transaction, const std::vector<OutboxPlace>& up_to);

// The first row of each partition that has any, and an offset.
base::Result<std::vector<OutboxPlace>> OldestInOutbox(Connection& connection);

}  // namespace heliograph::postgres
