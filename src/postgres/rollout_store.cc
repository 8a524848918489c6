#include "postgres/rollout_store.h"

#include <utility>

#include "postgres/action_rows.h"
#include "postgres/audit_rows.h"
#include "postgres/dispatch_queue.h"
#include "postgres/rollout_release.h"

namespace heliograph::postgres {
namespace {

constexpr int kMostAtOnce = 20;  // rollouts, before what waits is published

// The rollout first: whoever lets targets go holds it, and sees what was said here when he looks
// next.
base::Status WritePaused(Transaction& transaction, bool paused, action::Action& action) {
  const auto held = transaction.Execute(
      "INSERT INTO rollouts (action_id, look_at) SELECT action_id, CASE WHEN $2::boolean THEN "
      "deadline ELSE now() END FROM actions WHERE action_id = $1::uuid "
      "ON CONFLICT (action_id) DO UPDATE SET look_at = excluded.look_at",
      {action.id, paused && !action.rollout.abort_if});
  if (!held) return held.error();
  const auto written = transaction.Execute(
      "UPDATE actions SET paused_at = CASE WHEN $2::boolean THEN coalesce(paused_at, now()) END "
      "WHERE action_id = $1::uuid RETURNING paused_at",
      {action.id, paused});
  if (!written) return written.error();
  action.paused_at = written->GetOptionalTimestamp(0, 0);
  if (paused) return {};
  const auto told = transaction.Execute("SELECT pg_notify($1, '')", {kDispatchChannel});
  if (!told) return told.error();
  return {};
}

bool IsOver(const action::Action& action) {
  return action.ended || action.cancelled_at || action.aborted_at ||
         action.deadline <= action.as_of;
}

}  // namespace

base::Result<std::optional<Paused>> RolloutStore::Pause(const action::ActionId& id,
                                                        const Origin& origin) {
  return SetPaused(id, origin, true);
}

base::Result<std::optional<Paused>> RolloutStore::Resume(const action::ActionId& id,
                                                         const Origin& origin) {
  return SetPaused(id, origin, false);
}

base::Result<std::optional<Paused>> RolloutStore::SetPaused(const action::ActionId& id,
                                                            const Origin& origin, bool paused) {
  auto session = pool_.Acquire(std::chrono::steady_clock::now() + wait_);
  if (!session) return std::move(session).error();
  auto transaction = Transaction::Begin(**session);
  if (!transaction) return std::move(transaction).error();
  auto action = ReadHeader(*transaction, id, origin.tenant);
  if (!action) return std::move(action).error();
  if (!*action) return std::optional<Paused>();
  if (base::Status targets = ReadTargetsOf(*transaction, **action); !targets) {
    return std::move(targets).error();
  }
  if (IsOver(**action)) return std::optional(Paused{**std::move(action), true});
  if (base::Status written = WritePaused(*transaction, paused, **action); !written) {
    return std::move(written).error();
  }
  const Decision decision{origin, paused ? "pause" : "resume", true,        "",
                          id,     (*action)->directive.str(),  std::nullopt};
  if (base::Status audited = AddToAudit(*transaction, decision); !audited) {
    return std::move(audited).error();
  }
  if (base::Status committed = transaction->Commit(); !committed) {
    return std::move(committed).error();
  }
  return std::optional(Paused{**std::move(action), false});
}

base::Result<Released> RolloutStore::ReleaseDue() {
  auto session = pool_.Acquire(std::chrono::steady_clock::now() + wait_);
  if (!session) return std::move(session).error();
  Released released;
  for (int i = 0; i < kMostAtOnce; ++i) {
    const auto left = TimeToNextLook(**session);
    if (!left) return left.error();
    released.next_look = *left;
    if (left->count() > 0) break;
    const auto looked = LookAtOne(**session, released);
    if (!looked) return looked.error();
    if (!*looked) {  // another process is at it
      released.next_look = action::kSoonest;
      break;
    }
  }
  return released;
}

}  // namespace heliograph::postgres
