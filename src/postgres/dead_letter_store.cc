#include "postgres/dead_letter_store.h"

#include <utility>

#include "base/hex.h"
#include "postgres/array.h"
#include "postgres/audit_rows.h"

namespace heliograph::postgres {
namespace {

constexpr std::string_view kColumns =
    "dead_letter_id, at, tenant, client_id, reason, action_id, status, topic, partition, "
    "log_offset, source, detail, state, decided_at, decided_by, note, replayed_as";

base::Result<DeadLetter> LetterAt(const Rows& rows, int row) {
  DeadLetter letter;
  letter.place = {rows.GetTimestamp(row, 1), rows.GetInt64(row, 0)};
  if (!rows.IsNull(row, 2)) letter.tenant = device::TenantId(rows.Get(row, 2));
  letter.client_id = rows.Get(row, 3);
  letter.reason = rows.Get(row, 4);
  if (!rows.IsNull(row, 5)) letter.action_id = action::ActionId(rows.Get(row, 5));
  letter.kind = letter.action_id ? DeadLetterKind::kAction : DeadLetterKind::kRecord;
  letter.status = rows.Get(row, 6);
  letter.topic = rows.Get(row, 7);
  letter.partition = static_cast<std::int32_t>(rows.GetInt64(row, 8));
  letter.offset = rows.GetInt64(row, 9);
  letter.source = rows.Get(row, 10);
  letter.detail = rows.Get(row, 11);
  const auto state = ParseDeadLetterState(rows.Get(row, 12));
  if (!state) return base::MakeError(base::ErrorCode::kInternal, "a letter has no known state");
  letter.state = *state;
  letter.decided_at = rows.GetOptionalTimestamp(row, 13);
  letter.decided_by = rows.Get(row, 14);
  letter.note = rows.Get(row, 15);
  if (!rows.IsNull(row, 16)) letter.replayed_as = action::ActionId(rows.Get(row, 16));
  return letter;
}

template <class Session>
base::Result<std::optional<DeadLetter>> Find(Session& session, std::int64_t id,
                                             const std::optional<device::TenantId>& sight) {
  const auto rows = session.Execute(
      std::string("SELECT ").append(kColumns).append(
          ", replace(encode(payload, 'base64'), E'\\n', '') FROM dead_letters "
          "WHERE dead_letter_id = $1::bigint AND ($2::text IS NULL OR tenant = $2)"),
      {id, sight});
  if (!rows) return rows.error();
  if (rows->empty()) return std::optional<DeadLetter>();
  auto letter = LetterAt(*rows, 0);
  if (!letter) return std::move(letter).error();
  letter->payload_base64 = rows->Get(0, 17);
  return std::optional(*std::move(letter));
}

}  // namespace

std::string_view DeadLetterKindName(DeadLetterKind kind) {
  return kind == DeadLetterKind::kAction ? "action" : "record";
}

std::optional<DeadLetterKind> ParseDeadLetterKind(std::string_view name) {
  if (name == "action") return DeadLetterKind::kAction;
  if (name == "record") return DeadLetterKind::kRecord;
  return std::nullopt;
}

std::string_view DeadLetterStateName(DeadLetterState state) {
  switch (state) {
    case DeadLetterState::kOpen:
      return "open";
    case DeadLetterState::kReplayed:
      return "replayed";
    case DeadLetterState::kDiscarded:
      return "discarded";
  }
  return "open";
}

std::optional<DeadLetterState> ParseDeadLetterState(std::string_view name) {
  for (const auto state :
       {DeadLetterState::kOpen, DeadLetterState::kReplayed, DeadLetterState::kDiscarded}) {
    if (name == DeadLetterStateName(state)) return state;
  }
  return std::nullopt;
}

base::Status AddDeadLetters(Transaction& transaction, const std::string& topic,
                            std::span<const LetterRecord> records) {
  if (records.empty()) return {};
  TextArray client_ids, reasons, sources, details, payloads;
  Int32Array partitions;
  Int64Array offsets;
  for (const LetterRecord& record : records) {
    client_ids.Add(record.client_id);
    reasons.Add(record.reason);
    sources.Add(record.source);
    details.Add(record.detail);
    payloads.Add(base::ToHex(record.payload.substr(0, kLongestLetterPayload)));
    partitions.Add(record.partition);
    offsets.Add(record.offset);
  }
  const auto added = transaction.Execute(
      "INSERT INTO dead_letters (tenant, client_id, reason, topic, partition, log_offset, source, "
      "detail, payload) "
      "SELECT c.tenant, nullif(r.client_id, ''), r.reason, $1, r.partition, r.log_offset, "
      "nullif(r.source, ''), nullif(r.detail, ''), decode(r.payload, 'hex') "
      "FROM unnest($2::int[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], "
      "$8::text[]) WITH ORDINALITY"
      "  AS r(partition, log_offset, client_id, reason, source, detail, payload, nth) "
      "LEFT JOIN connections c ON c.client_id = r.client_id ORDER BY nth",
      {topic, partitions, offsets, client_ids, reasons, sources, details, payloads});
  if (!added) return added.error();
  return {};
}

base::Result<Pool::Lease> DeadLetterStore::Session() {
  return pool_.Acquire(std::chrono::steady_clock::now() + wait_);
}

// One range of an index; beside those that match, the last that was looked at: the next page begins
// there. Few texts, so that they stay prepared.
base::Result<DeadLetterPage> DeadLetterStore::List(const DeadLetterQuery& query) {
  auto session = Session();
  if (!session) return std::move(session).error();
  const Parameter none(std::nullopt);
  const Parameter at = query.before ? Parameter(query.before->at) : none;
  const Parameter id = query.before ? Parameter(query.before->id) : none;
  const Parameter state = query.state ? Parameter(DeadLetterStateName(*query.state)) : none;
  const Parameter kind = query.kind ? Parameter(DeadLetterKindName(*query.kind)) : none;
  const std::string by = query.action_id ? "action_id = $1::uuid"
                         : query.sight   ? "$1::uuid IS NULL AND tenant = $2"
                                         : "$1::uuid IS NULL";
  const auto rows = (*session)->Execute(
      "SELECT " + std::string(kColumns) +
          ", matches, nth FROM ("
          "SELECT *, ($2::text IS NULL OR tenant = $2) AND ($3::text IS NULL OR tenant = $3)"
          "  AND ($4::text IS NULL OR state = $4)"
          "  AND ($5::text IS NULL OR (action_id IS NOT NULL) = ($5 = 'action'))"
          "  AND ($6::text IS NULL OR reason = $6) AND ($7::text IS NULL OR client_id = $7)"
          "  AS matches, row_number() OVER (ORDER BY at DESC, dead_letter_id DESC) AS nth FROM ("
          "SELECT " +
          std::string(kColumns) + " FROM dead_letters WHERE " + by +
          " AND at >= coalesce($8::timestamptz, '-infinity')"
          " AND at < coalesce($9::timestamptz, 'infinity')"
          " AND (at, dead_letter_id) <"
          "   (coalesce($10::timestamptz, 'infinity'), coalesce($11::bigint, 0))"
          " ORDER BY at DESC, dead_letter_id DESC LIMIT $12::bigint) AS looked_at) AS judged "
          "WHERE matches OR nth = $12::bigint ORDER BY at DESC, dead_letter_id DESC "
          "LIMIT $13::bigint",
      {query.action_id, query.sight, query.tenant, state, kind, query.reason, query.client_id,
       query.from, query.until, at, id, kDeadLettersLookedAt, query.limit + 2});
  if (!rows) return rows.error();
  DeadLetterPage page;
  for (int row = 0; row < rows->size(); ++row) {
    if (std::cmp_equal(page.letters.size(), query.limit)) {
      page.next = page.letters.back().place;
      break;
    }
    auto letter = LetterAt(*rows, row);
    if (!letter) return std::move(letter).error();
    if (rows->GetInt64(row, 18) == kDeadLettersLookedAt) page.next = letter->place;
    if (rows->GetBool(row, 17)) page.letters.push_back(*std::move(letter));
  }
  return page;
}

base::Result<std::optional<DeadLetter>> DeadLetterStore::Get(
    std::int64_t id, const std::optional<device::TenantId>& sight) {
  auto session = Session();
  if (!session) return std::move(session).error();
  return Find(**session, id, sight);
}

base::Result<std::optional<DeadLetter>> DeadLetterStore::Discard(std::int64_t id,
                                                                 const std::string& note,
                                                                 const Origin& origin) {
  auto session = Session();
  if (!session) return std::move(session).error();
  auto transaction = Transaction::Begin(**session);
  if (!transaction) return std::move(transaction).error();
  const auto discarded = transaction->Execute(
      "UPDATE dead_letters SET state = 'discarded', decided_at = now(), decided_by = $3, "
      "note = nullif($4, '') WHERE dead_letter_id = $1::bigint AND state = 'open' "
      "AND ($2::text IS NULL OR tenant = $2)",
      {id, origin.tenant, origin.caller, note});
  if (!discarded) return discarded.error();
  auto letter = Find(*transaction, id, origin.tenant);
  if (!letter || !*letter) return letter;
  if (discarded->affected() == 1) {
    Decision decision;
    decision.origin = origin;
    decision.deed = "discard";
    decision.accepted = true;
    decision.action_id = (*letter)->action_id;
    decision.dead_letter_id = id;
    if (base::Status told = AddToAudit(*transaction, decision); !told) {
      return std::move(told).error();
    }
  }
  if (base::Status committed = transaction->Commit(); !committed) {
    return std::move(committed).error();
  }
  return letter;
}

base::Result<std::int64_t> DeadLetterStore::Forget(std::int64_t most) {
  auto session = Session();
  if (!session) return std::move(session).error();
  const auto forgotten = (*session)->Execute(
      "DELETE FROM dead_letters WHERE dead_letter_id IN ("
      "  SELECT dead_letter_id FROM dead_letters"
      "  WHERE at < now() - $1::bigint * interval '1 day' ORDER BY at LIMIT $2::bigint)",
      {kDeadLettersAreKept.count(), most});
  if (!forgotten) return forgotten.error();
  return forgotten->affected();
}

}  // namespace heliograph::postgres
