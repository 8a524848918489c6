#include "postgres/settled_turns.h"

#include <set>

#include "postgres/array.h"

namespace heliograph::postgres {
namespace {

using Turn = Settlement::Turn;

bool ChangesTurn(const Settlement& settlement) {
  return settlement.turn != Turn::kUnchanged && settlement.action_id.has_value();
}

}  // namespace

base::Status WakeRollouts(Transaction& transaction, std::span<const Settlement> settlements) {
  std::set<action::ActionId> actions;
  for (const Settlement& each : settlements) {
    if (ChangesTurn(each)) actions.insert(*each.action_id);
  }
  if (actions.empty()) return {};
  TextArray ids;
  for (const action::ActionId& id : actions) ids.Add(id.view());
  const auto woken = transaction.Execute(
      "UPDATE rollouts SET look_at = least(look_at, now()) WHERE action_id IN ("
      "  SELECT action_id FROM rollouts WHERE action_id = ANY ($1::text[]::uuid[])"
      "  ORDER BY action_id FOR UPDATE)",
      {ids});
  if (!woken) return woken.error();
  return {};
}

base::Status SettleTurns(Transaction& transaction,
                         const std::vector<const Settlement*>& settlements) {
  TextArray action_ids, client_ids;
  BoolArray held;
  for (const Settlement* each : settlements) {
    if (!ChangesTurn(*each)) continue;
    action_ids.Add(each->action_id->view());
    client_ids.Add(each->client_id.view());
    held.Add(each->turn == Turn::kHeldBack);
  }
  if (action_ids.size() == 0) return {};
  const auto moved = transaction.Execute(
      "INSERT INTO held_targets (action_id, client_id, place, tries, pauses) "
      "SELECT q.action_id, q.client_id, q.place, q.tries, q.pauses "
      "FROM unnest($1::text[], $2::text[], $3::boolean[]) AS s(action_id, client_id, held) "
      "JOIN action_targets t ON t.action_id = s.action_id::uuid AND t.client_id = s.client_id "
      "  AND t.status = 'queued' "
      "JOIN queued_targets q ON q.client_id = s.client_id AND q.action_id = s.action_id::uuid "
      "WHERE s.held ON CONFLICT DO NOTHING",
      {action_ids, client_ids, held});
  if (!moved) return moved.error();
  // What may have been published stays in flight, whatever becomes of it now.
  const auto given_back = transaction.Execute(
      "WITH back AS ("
      "  UPDATE action_targets t SET permitted = false"
      "  FROM unnest($1::text[], $2::text[]) AS s(action_id, client_id), queued_targets q"
      "  WHERE t.action_id = s.action_id::uuid AND t.client_id = s.client_id AND t.permitted"
      "    AND t.status = 'queued' AND q.client_id = s.client_id"
      "    AND q.action_id = s.action_id::uuid AND q.tries = 0"
      "  RETURNING t.action_id) "
      "INSERT INTO rollout_changes (action_id, freed) "
      "SELECT action_id, count(*) FROM back GROUP BY action_id",
      {action_ids, client_ids});
  if (!given_back) return given_back.error();
  return {};
}

}  // namespace heliograph::postgres
