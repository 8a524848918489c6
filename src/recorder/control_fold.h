// Turns a batch of `device.control` into connection state, in one transaction: parse, load, apply
// the rules, save. The recorder and the rebuild share it, so that both come to the same rows.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "device/connection.h"
#include "device/control_message.h"
#include "owner/resolver.h"
#include "postgres/connection_store.h"
#include "postgres/transaction.h"
#include "recorder/record.h"

namespace heliograph::recorder {

using Generations = std::map<std::int32_t, std::int32_t>;  // partition -> generation of its log

// Told of each change in the order of the batch; the connection is as it is right after it.
using ChangeCallback = std::function<void(
    device::Change change, const device::Connection& connection, const Record& record)>;

// A connection whose owner could not be told when it was stored.
struct UntoldOwner {
  device::ClientId client_id;
  std::int32_t partition = 0;  // of its newest record
};

// Threads: one thread.
class ControlFold {
 public:
  // Parses, without the database. The records must live until the next call. Answers what is
  // refused; the rest is kept for Apply, which may be called again after a failure.
  std::vector<Refusal> Prepare(std::span<const Record> records);

  // `resolver` null: new connections belong to nobody known. Where it cannot tell an owner, a
  // stored connection keeps its own and a new one has none: see untold_owners.
  base::Status Apply(postgres::Transaction& transaction, const Generations& generations,
                     owner::Resolver* resolver, const ChangeCallback& on_change);

  const std::vector<UntoldOwner>& untold_owners() const { return untold_; }  // of the last Apply
  std::size_t empty_payloads() const { return empty_payloads_; }             // of the last Prepare

 private:
  struct Message {
    std::size_t history = 0;  // index into client_ids_
    const Record* record = nullptr;
    device::ControlMessage message;
  };
  struct Wanted {
    std::vector<postgres::WantedStay> opened;
    std::vector<postgres::WantedEnd> ended;
  };

  void SortClients();
  Wanted FindWanted(const std::vector<postgres::StoredHistory>& histories) const;
  // Answers the indices of those whose owner could not be told.
  std::vector<std::size_t> ResolveNew(owner::Resolver& resolver,
                                      std::vector<postgres::StoredHistory>& histories) const;

  std::vector<Message> messages_;             // in the order of the log
  std::vector<device::ClientId> client_ids_;  // sorted, unique
  std::vector<UntoldOwner> untold_;
  std::size_t empty_payloads_ = 0;
};

}  // namespace heliograph::recorder
