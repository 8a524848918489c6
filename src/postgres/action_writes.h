// Stores requests for actions and their outcomes: any number in one statement, which is one
// transaction and one wait for the database's disk. Only for this folder.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "postgres/action_store.h"
#include "postgres/array.h"
#include "postgres/connection.h"

namespace heliograph::postgres {

// As ActionStore's Create for each, in the order of `actions`; of several with the same key one
// gets it. An error is that of the statement: nothing was stored, or, where the connection is not
// healthy any more or the time is over, nobody knows.
base::Result<std::vector<base::Result<std::optional<AcceptedAction>>>> CreateTogether(
    Connection& connection, std::span<const NewAction* const> actions);

// As ActionStore's Finish for each, likewise.
base::Result<std::vector<base::Status>> FinishTogether(
    Connection& connection, std::span<const FinishedRequest* const> requests);

// Parts of a WITH list after one that is called `changed` and has client_id, action_id, status and
// tries: what is `queued` in it is put in its mailbox, which is due at `wake_at` (SQL). A reader of
// the whole must ask for `(SELECT count(*) FROM told)`, or nobody is told.
std::string QueueChanged(std::string_view wake_at);

// As the tables have them.
TextArray NamesOf(const std::vector<action::TargetStatus>& statuses);
// The table keeps operators under the empty name.
std::string TenantText(const RequestKey& request);

}  // namespace heliograph::postgres
