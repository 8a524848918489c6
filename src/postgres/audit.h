// Who asked what of devices, and what was decided. Table: migrations/0007_audit.up.sql.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "action/ids.h"
#include "base/clock.h"
#include "base/result.h"
#include "device/ids.h"
#include "postgres/pool.h"

namespace heliograph::postgres {

// Where a request came from.
struct Origin {
  std::string caller = {};
  std::optional<device::TenantId> tenant = {};  // nullopt = an operator
  std::string address = {};
  std::string forwarded_for = {};  // what the request said of itself; "" = nothing
  std::string request_id = {};
};

struct Decision {
  Origin origin;
  // "create", "cancel", "replay", "discard", "pause", "resume", or "create-webhook" and others.
  std::string deed;
  bool accepted = false;  // else refused
  std::string reason;     // why refused: a problem type
  std::optional<action::ActionId> action_id;
  std::string directive;  // "" = the request did not say
  std::optional<std::int64_t> targets;
  std::optional<std::int64_t> dead_letter_id = {};  // which one was discarded
  std::string webhook = {};                         // its name; "" = it is about none
};

// A decision's place in the list, which is the order of time.
struct AuditPlace {
  base::Timestamp at{};
  std::int64_t place = 0;
};

struct AuditEntry {
  AuditPlace place;
  Decision decision;
};

// Every filter that is given must hold.
struct AuditQuery {
  std::optional<std::string> caller = {};
  std::optional<device::TenantId> tenant = {};
  std::optional<action::ActionId> action_id = {};
  std::optional<bool> accepted = {};
  std::optional<base::Timestamp> from = {};   // included
  std::optional<base::Timestamp> until = {};  // not included
  std::optional<AuditPlace> before = {};      // nullopt = from the newest
  std::int64_t limit = 100;
};

struct AuditPage {
  std::vector<AuditEntry> entries;
  // Where to go on; nullopt: that was all. A page may be short, even empty, and yet not the last.
  std::optional<AuditPlace> next;
};

// Of how many entries one page looks at what no index serves.
inline constexpr std::int64_t kAuditLookedAt = 10'000;

// What was accepted is written by ActionStore, in the same transaction. Errors as Connection's.
// Threads: any thread.
class Audit {
 public:
  // `wait` bounds how long a call waits for a session.
  Audit(Pool& pool, std::chrono::milliseconds wait) : pool_(pool), wait_(wait) {}

  base::Status Add(const Decision& decision);
  // The newest first.
  base::Result<AuditPage> List(const AuditQuery& query);

 private:
  Pool& pool_;
  const std::chrono::milliseconds wait_;
};

}  // namespace heliograph::postgres
