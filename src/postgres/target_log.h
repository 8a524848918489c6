// The changes of targets, read so that none is missed: migrations/0008_target_log.up.sql.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "action/action.h"
#include "base/result.h"
#include "postgres/pool.h"

namespace heliograph::postgres {

inline constexpr std::chrono::hours kTargetLogIsKept{24};

// A place in the log. Read up to a place once, nothing is ever written before it.
struct TargetLogPlace {
  std::uint64_t xid = 0;
  std::int64_t place = 0;

  auto operator<=>(const TargetLogPlace&) const = default;
};

struct EndedTarget {
  action::Action action;  // without totals and targets
  action::Target target;  // as it was when it ended; the result in full
};

struct EndedTargets {
  std::vector<EndedTarget> targets;  // in the log's order
  TargetLogPlace up_to;              // everything up to here was looked at
  bool more = false;                 // there is more to read at once
};

// A change of a target, or that a whole action has ended.
struct TargetChange {
  TargetLogPlace place;
  action::ActionId action_id;
  std::optional<device::TenantId> tenant;  // the action's; nullopt = an operator's
  action::Directive directive;
  std::optional<action::Target> target;  // without result; nullopt = every target has ended
  base::Timestamp at{};
};

// An action, and the first of its targets that may be open: all before it have ended.
struct OpenFrom {
  action::ActionId action_id;
  device::ClientId client_id;  // "" = nobody has looked yet
};

// One reader of the log, who tells others what ended; one process at a time. Errors as
// Connection's. Any number of other readers, who keep their places themselves. Threads: any thread.
class TargetLog {
 public:
  // `wait` bounds how long a call waits for a session.
  TargetLog(Pool& pool, std::chrono::milliseconds wait) : pool_(pool), wait_(wait) {}

  // Where `owner` goes on, who has `lease` from now on; nullopt: another process is at it.
  base::Result<std::optional<TargetLogPlace>> Claim(const std::string& owner,
                                                    std::chrono::milliseconds lease);
  // The targets that ended after `after`, a bounded number of them and of bytes.
  base::Result<EndedTargets> ReadEnded(const TargetLogPlace& after);
  // Everything up to `to` is told, and the lease begins anew. False: `owner` has lost it, or the
  // reader does not stand at `from`; nothing was changed.
  base::Result<bool> Advance(const std::string& owner, const TargetLogPlace& from,
                             const TargetLogPlace& to, std::chrono::milliseconds lease);
  // Of each action the first target that is open, in the same order; "" = every target has ended.
  base::Result<std::vector<device::ClientId>> FindOpen(std::span<const OpenFrom> actions);
  // Writes down that these have ended, of which it was not written yet.
  base::Status EndActions(std::span<const action::ActionId> actions);
  // Whoever comes next need not wait for the lease to end.
  base::Status Release(const std::string& owner);

  // Where one begins who wants nothing of before.
  base::Result<TargetLogPlace> End();
  // Up to where changes were forgotten: whoever stands before it has missed some.
  base::Result<TargetLogPlace> Forgotten();
  // What changed after `after`, at most `most` changes; in transactions below `end` where it is
  // given. The last one's place is where to go on; none are read twice or left out.
  base::Result<std::vector<TargetChange>> Read(const TargetLogPlace& after, std::int64_t most,
                                               std::optional<std::uint64_t> end = std::nullopt);

  // Forgets at most `most` changes that are told and older than kTargetLogIsKept. How many it were.
  base::Result<std::int64_t> Forget(std::int64_t most);

 private:
  base::Result<Pool::Lease> Session();

  Pool& pool_;
  const std::chrono::milliseconds wait_;
};

}  // namespace heliograph::postgres
