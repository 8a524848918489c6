// What devices answer, applied to the targets of actions.
#pragma once

#include <span>
#include <vector>

#include "action/report.h"
#include "base/clock.h"
#include "base/result.h"
#include "device/ids.h"
#include "postgres/transaction.h"

namespace heliograph::postgres {

struct ReceivedReport {
  device::ClientId client_id;  // who said it: the record's key
  action::Report report;
  base::Timestamp received_at{};  // when Kafka stored it
};

enum class ReportEffect {
  kApplied,        // status, progress or result changed; also: a late answer was kept
  kNoChange,       // a repeat, or it came after the end
  kUnknownAction,  // there is no such action
  kNotATarget,     // the action has not this device as a target
};

// Applies the reports in their order, within the caller's transaction; one effect for each. Locks
// the targets in one order, so that two callers cannot deadlock.
base::Result<std::vector<ReportEffect>> ApplyReports(Transaction& transaction,
                                                     std::span<const ReceivedReport> reports);

}  // namespace heliograph::postgres
