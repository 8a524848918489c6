// Writes a decision: inside a transaction or outside. Only for this folder.
#pragma once

#include "base/result.h"
#include "postgres/audit.h"

namespace heliograph::postgres {

template <class Session>
base::Status AddToAudit(Session& session, const Decision& decision) {
  const auto optional = [](const std::string& text) {
    return text.empty() ? Parameter(std::nullopt) : Parameter(text);
  };
  const auto added = session.Execute(
      "INSERT INTO audit (caller, tenant, address, forwarded_for, request_id, deed, decision, "
      "reason, action_id, directive, targets, dead_letter_id, webhook) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::uuid, $10, $11::bigint, $12::bigint, "
      "$13)",
      {decision.origin.caller, decision.origin.tenant, decision.origin.address,
       optional(decision.origin.forwarded_for), decision.origin.request_id, decision.deed,
       decision.accepted ? "accepted" : "refused", optional(decision.reason), decision.action_id,
       optional(decision.directive), decision.targets, decision.dead_letter_id,
       optional(decision.webhook)});
  if (!added) return added.error();
  return {};
}

}  // namespace heliograph::postgres
