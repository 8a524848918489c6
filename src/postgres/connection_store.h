// Connections and their stays online as the recorder reads and writes them: many at a time, in one
// transaction.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "device/connection.h"
#include "device/ids.h"
#include "postgres/transaction.h"

namespace heliograph::postgres {

// A connection with the stays that the rules of device/connection.h may need.
struct StoredHistory {
  device::History history;
  bool stored = false;                     // it has a row; else all but the client id is as new
  device::Description stored_description;  // as it stands in the database
  // kafka_offsets.generation of the first history.intervals: those that were loaded. The others are
  // new.
  std::vector<std::int32_t> generations;
};

// By client id, unique: the order in which rows are locked, the same for everybody.
// Loads the connection, its description, and its open stay.
base::Result<std::vector<StoredHistory>> LoadHistories(
    Transaction& transaction, std::span<const device::ClientId> client_ids);

// A stay that a message to be applied may name.
struct WantedStay {
  std::size_t history = 0;  // index into what LoadHistories answered
  device::SessionId session_id;
  device::MessageId message_id;  // of the *online* that may have opened it before
};
// The stay that exactly this *online* opened, where there is one.
base::Status LoadOpenedStays(Transaction& transaction, std::span<const WantedStay> wanted,
                             std::vector<StoredHistory>& histories);

// Up to `enough` stays of the session that have ended: so many that one is left whatever the batch
// reopens.
struct WantedEnd {
  std::size_t history = 0;
  device::SessionId session_id;
  std::int32_t enough = 1;
};
base::Status LoadEndedStays(Transaction& transaction, std::span<const WantedEnd> wanted,
                            std::vector<StoredHistory>& histories);

// Writes all connections, the descriptions that changed, and the stays that were touched.
// `generations` has each partition that a position names.
base::Status SaveHistories(Transaction& transaction, std::span<const StoredHistory> histories,
                           const std::map<std::int32_t, std::int32_t>& generations);

// For a change of owners: connections of one partition after `after`, by client id.
struct OwnedConnection {
  device::ClientId client_id;
  std::optional<device::TenantId> tenant;
};
base::Result<std::vector<OwnedConnection>> ListOwners(Transaction& transaction,
                                                      std::int32_t partition,
                                                      const device::ClientId& after,
                                                      std::int64_t limit);
// As above, those alone that have no owner.
base::Result<std::vector<OwnedConnection>> ListUnowned(Transaction& transaction,
                                                       std::int32_t partition,
                                                       const device::ClientId& after,
                                                       std::int64_t limit);
// Those whose newest record is in the partition. Answers how many had another owner.
base::Result<std::int64_t> SaveOwners(Transaction& transaction, std::int32_t partition,
                                      std::span<const OwnedConnection> connections);

}  // namespace heliograph::postgres
