// Actions for sets of devices: a set is resolved where the devices are, in the database, and frozen
// there; it never passes through this process. Tables: migrations/0009_target_sets.up.sql; why it
// is so: docs/decisions/0020-target-sets.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "action/action.h"
#include "base/result.h"
#include "postgres/action_store.h"
#include "postgres/pool.h"
#include "postgres/target_set.h"

namespace heliograph::postgres {

inline constexpr std::size_t kMostJudgedAtOnce = 10'000;

// Of these devices those that the caller may not act on. An error: nobody can say now, and nothing
// is stored.
using Judge = std::function<base::Result<std::vector<device::ClientId>>(
    std::span<const device::ClientId> client_ids)>;

// A dry run that the request names.
struct NamedDryRun {
  std::string id;       // a UUID
  std::string meaning;  // a hash of what the request asks for
};

struct NewSetAction {
  NewAction action;  // without client_ids and forbidden; nobody in particular publishes it
  TargetSet set;
  Judge judge;  // empty: nothing is forbidden; else asked of kMostJudgedAtOnce at a time
  std::optional<NamedDryRun> dry_run;
};

// The action as it is stored, and its answer.
struct CreatedSet {
  action::Action action;
  std::string answer;
};

// monostate: the key is taken.
using SetCreation = std::variant<std::monostate, CreatedSet, SetRefusal>;

// What would become of a set, by a word: "online", "offline", "state_unknown" (there is such a
// device, but nobody can say whether it is online), "unknown" (there is none), "unauthorised",
// "excluded".
struct DryRunCount {
  std::string word;
  std::int64_t count = 0;
  std::vector<std::string> sample;  // the first kSampled client ids
};
inline constexpr std::int64_t kSampled = 20;

struct NewDryRun {
  TargetSet set;
  std::string meaning;
  Judge judge;
};

struct DryRun {
  std::string id;
  base::Timestamp expires_at{};
  std::vector<DryRunCount> counts;  // those that are not 0
};

// Every call is one transaction on a session of its own; it may take long, so its pool is for sets
// only, and set up by postgres::kForSets. Errors as Connection's, and as Judge's. Threads: any
// thread.
class SetStore {
 public:
  // `wait` bounds how long a call waits for a session.
  SetStore(Pool& pool, std::chrono::milliseconds wait) : pool_(pool), wait_(wait) {}

  // Stores request, action, targets and answer. Targets that may be reached are kQueued, and due at
  // once; those that are offline are kQueued, too, where the action may wait, else kOffline. None
  // is kAccepted, so there is nothing to finish.
  base::Result<SetCreation> Create(const NewSetAction& action);

  // Creates nothing but the dry run.
  base::Result<std::variant<DryRun, SetRefusal>> Try(const NewDryRun& dry_run);

 private:
  void WakeWhoCameOnline(Connection& connection, const action::ActionId& id);

  Pool& pool_;
  const std::chrono::milliseconds wait_;
};

}  // namespace heliograph::postgres
