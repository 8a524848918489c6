// Targets that wait in the database, for their device or for the broker, and the processes that may
// publish them. Tables: migrations/0006_queue.up.sql; why it is so: docs/decisions/0018-queue.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "action/ids.h"
#include "action/target_status.h"
#include "base/clock.h"
#include "base/result.h"
#include "device/ids.h"
#include "postgres/pool.h"
#include "postgres/transaction.h"

namespace heliograph::postgres {

// Told whenever a mailbox becomes due before its time.
inline constexpr std::string_view kDispatchChannel = "heliograph_dispatch";

// What waits for a device longest.
struct WaitingTarget {
  action::ActionId action_id;
  bool open = false;                 // it still waits, and its deadline has not passed
  std::int64_t tries = 0;            // how often it may have been published already
  std::chrono::milliseconds left{};  // until the deadline
  std::int64_t pauses = 0;           // how often it was tried in vain
  std::string reason;                // why it waits
  bool may_wait = false;             // for its device, too
  bool paused = false;               // the action: nothing of it is published
  bool paced = false;                // the action: what is published needs a permit
  bool permitted = false;            // its turn in the rollout has come
};

// A device for which this process alone publishes, until it settles.
struct Mail {
  device::ClientId client_id;
  std::int64_t arrivals = 0;  // for Settlement
  bool reachable = false;     // online, or nobody can say
  std::optional<WaitingTarget> first;
};

struct QueuedAction {
  action::Directive directive;
  std::string payload;   // compact JSON
  std::string metadata;  // an object of strings, or null
  base::Timestamp deadline{};
  std::string requested_by;
  std::optional<device::TenantId> tenant;  // nullopt = an operator's
  std::chrono::seconds age{};              // since it was accepted
};

struct Claimed {
  std::vector<Mail> mail;
  // Of what is open and reachable; those of the last ones may be missing, where all together would
  // take too much memory.
  std::map<action::ActionId, QueuedAction> actions;
};

// What became of a mailbox and the first target in it.
struct Settlement {
  enum class Next { kNow, kWhenOnline, kLater };
  enum class Turn {
    kUnchanged,
    kGivenBack,  // a permit that it had: it was certainly not published, and waits for its device
    kHeldBack,   // it waits for its turn, out of the way of the others in the mailbox
  };

  device::ClientId client_id;
  std::int64_t arrivals = 0;
  std::optional<action::ActionId> action_id;  // nullopt: there was none
  std::optional<action::TargetEvent> event;   // what happened to the target, if anything
  std::string reason;
  bool remove = false;  // the target waits no longer; false: it was tried, and stays the first
  bool tried = false;   // it may have been published
  Turn turn = Turn::kUnchanged;
  Next next = Next::kNow;
  std::chrono::milliseconds later{};  // for kLater
};

// Marks the mailboxes of devices that have come online as due, after their state is committed.
// Costs one statement; nothing is written where nothing waits. Waits for nobody: those that
// somebody holds just then are answered, and to be tried again.
base::Result<std::vector<device::ClientId>> WakeMailboxes(
    Connection& connection, std::span<const device::ClientId> client_ids);

// Every call is one transaction on a session of its own. Errors as Connection's. Threads: any
// thread.
class DispatchQueue {
 public:
  // `wait` bounds how long a call waits for a session.
  DispatchQueue(Pool& pool, std::chrono::milliseconds wait) : pool_(pool), wait_(wait) {}

  // Who may publish. A client id is used for one lease only; it is false that one can be renewed
  // once another process has taken it.
  base::Status Register(const std::string& client_id, std::chrono::milliseconds lease);
  base::Result<bool> Renew(const std::string& client_id, std::chrono::milliseconds lease);
  // Somebody else's lease that has been over for `grace`, the oldest; nullopt: there is none, or
  // `own` has no lease either. It cannot be renewed from now on. Who does not Release it within
  // `hold` leaves it to others.
  base::Result<std::optional<std::string>> TakeLapsed(const std::string& own,
                                                      std::chrono::milliseconds grace,
                                                      std::chrono::milliseconds hold);
  // Gives its mailboxes back and forgets it. Only when it has no connection to the broker any more.
  base::Status Release(const std::string& client_id);

  // At most `most` mailboxes that are due and nobody's, for `owner`, and those of an earlier call
  // that it has not settled; none when its lease is lost. Those that have been due for longest, but
  // one in ten of those that are due since now: who has just come online does not wait for all of
  // a large action. Only one thread claims for one owner.
  base::Result<Claimed> Claim(const std::string& owner, std::int64_t most);
  // Stores all of them; what `owner` does not own any more stays as it is, but that a target was
  // published is true whoever owns it.
  base::Status Settle(const std::string& owner, std::span<const Settlement> settlements);

  // The safety net: of the next `most` mailboxes after `after`, by client id, those that wait for
  // their device become due where it is online, or where they are empty. The last one that was
  // looked at; "" = the end was reached.
  base::Result<device::ClientId> Sweep(const device::ClientId& after, std::int64_t most);

 private:
  base::Result<Pool::Lease> Session() const;

  Pool& pool_;
  const std::chrono::milliseconds wait_;
};

}  // namespace heliograph::postgres
