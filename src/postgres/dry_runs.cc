// The part of SetStore that changes nothing.
#include <utility>

#include "base/uuid.h"
#include "postgres/selection.h"
#include "postgres/set_store.h"

namespace heliograph::postgres {
namespace {

constexpr std::string_view kPatience = "SET LOCAL idle_in_transaction_session_timeout = '60s'";

// How many are in it.
base::Result<std::int64_t> Store(Transaction& transaction, const NewDryRun& from,
                                 const Selection& selection, DryRun& dry_run) {
  const auto stored = transaction.Execute(
      "INSERT INTO dry_runs (dry_run_id, tenant, meaning, client_ids) "
      "SELECT $1::uuid, coalesce($2::text, ''), $3, coalesce(array_agg(s.client_id ORDER BY "
      "s.client_id), '{}') FROM (" +
          selection.text() +
          ") AS s RETURNING cardinality(client_ids), created_at + $4::bigint * interval '1 hour'",
      selection.With({dry_run.id, from.set.tenant, from.meaning, kDryRunsAreKept.count()}));
  if (!stored) return stored.error();
  dry_run.expires_at = stored->GetTimestamp(0, 1);
  return stored->GetInt64(0, 0);
}

base::Status JudgeAll(Transaction& transaction, const Judge& judge, const std::string& id,
                      std::int64_t size) {
  const auto most = static_cast<std::int64_t>(kMostJudgedAtOnce);
  for (std::int64_t from = 1; judge && from <= size; from += most) {
    const auto slice = transaction.Execute(
        "SELECT unnest(client_ids[$2::integer:$3::integer]) FROM dry_runs WHERE dry_run_id = "
        "$1::uuid",
        {id, from, from + most - 1});
    if (!slice) return slice.error();
    std::vector<device::ClientId> ids;
    for (int row = 0; row < slice->size(); ++row) ids.emplace_back(slice->Get(row, 0));
    const auto forbidden = judge(ids);
    if (!forbidden) return forbidden.error();
    TextArray names;
    for (const device::ClientId& each : *forbidden) names.Add(each.view());
    if (names.size() == 0) continue;
    const auto marked = transaction.Execute(
        "UPDATE dry_runs SET forbidden = forbidden || $2::text[] WHERE dry_run_id = $1::uuid",
        {id, names});
    if (!marked) return marked.error();
  }
  return {};
}

// A query of client_id: those that were left out. Its parameters are the fourth and later.
struct LeftOut {
  std::string text;
  std::vector<Parameter> parameters;
};

base::Status CountAll(Transaction& transaction, const LeftOut& left_out, DryRun& dry_run) {
  const auto rows = transaction.Execute(
      "WITH words AS ("
      "  SELECT t.client_id, CASE WHEN c.client_id IS NULL THEN 'unknown' WHEN f.client_id IS NOT "
      "NULL THEN 'unauthorised' WHEN c.state = 'unknown' THEN 'state_unknown' ELSE c.state END AS "
      "word FROM (SELECT unnest(client_ids) AS client_id FROM dry_runs WHERE dry_run_id = "
      "$1::uuid) AS t LEFT JOIN connections c ON c.client_id = t.client_id AND ($2::text IS NULL "
      "OR c.tenant = $2)"
      "  LEFT JOIN (SELECT unnest(forbidden) AS client_id FROM dry_runs WHERE dry_run_id = "
      "$1::uuid) AS f ON f.client_id = t.client_id"
      "  UNION ALL SELECT x.client_id, 'excluded' FROM (" +
          left_out.text +
          ") AS x(client_id)) "
          "SELECT word, times, client_id FROM (SELECT word, client_id, count(*) OVER (PARTITION BY "
          "word) AS times, row_number() OVER (PARTITION BY word ORDER BY client_id) AS nth FROM "
          "words) AS numbered WHERE nth <= $3::bigint ORDER BY word, client_id",
      left_out.parameters);
  if (!rows) return rows.error();
  for (int row = 0; row < rows->size(); ++row) {
    if (dry_run.counts.empty() || dry_run.counts.back().word != rows->Get(row, 0)) {
      dry_run.counts.push_back({std::string(rows->Get(row, 0)), rows->GetInt64(row, 1), {}});
    }
    dry_run.counts.back().sample.emplace_back(rows->Get(row, 2));
  }
  return {};
}

base::Status CountAll(Transaction& transaction, const TargetSet& set, DryRun& dry_run) {
  std::vector<Parameter> parameters{dry_run.id, set.tenant, kSampled};
  if ((set.selector || set.group) && !set.exclude.empty()) {
    const auto selection = Selection::Of(transaction, set, 4);
    if (!selection) return selection.error();
    return CountAll(transaction, {selection->excluded(), selection->With(std::move(parameters))},
                    dry_run);
  }
  // Of devices that are named one by one `exclude` has those that were named, too.
  TextArray named;
  for (const device::ClientId& id : set.exclude) named.Add(id.view());
  parameters.emplace_back(named);
  return CountAll(transaction, {"SELECT unnest($4::text[])", std::move(parameters)}, dry_run);
}

}  // namespace

base::Result<std::variant<DryRun, SetRefusal>> SetStore::Try(const NewDryRun& from) {
  using Answer = std::variant<DryRun, SetRefusal>;
  auto session = pool_.Acquire(std::chrono::steady_clock::now() + wait_);
  if (!session) return std::move(session).error();
  auto transaction = Transaction::Begin(**session);
  if (!transaction) return std::move(transaction).error();
  if (auto set = transaction->Execute(kPatience); !set) return set.error();
  const auto refused = RefuseSet(*transaction, from.set);
  if (!refused) return refused.error();
  if (*refused) return Answer(**refused);
  const auto selection = Selection::Of(*transaction, from.set, 5);
  if (!selection) return selection.error();
  DryRun dry_run;
  dry_run.id = base::NewUuid();
  const auto size = Store(*transaction, from, *selection, dry_run);
  if (!size) return size.error();
  if (base::Status judged = JudgeAll(*transaction, from.judge, dry_run.id, *size); !judged) {
    return std::move(judged).error();
  }
  if (base::Status counted = CountAll(*transaction, from.set, dry_run); !counted) {
    return std::move(counted).error();
  }
  if (base::Status committed = transaction->Commit(); !committed) {
    return std::move(committed).error();
  }
  return Answer(std::move(dry_run));
}

}  // namespace heliograph::postgres
