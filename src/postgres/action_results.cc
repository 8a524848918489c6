#include "postgres/action_results.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "action/action.h"
#include "postgres/array.h"

namespace heliograph::postgres {
namespace {

using action::TargetEvent;
using action::TargetStatus;
using Key = std::pair<std::string, std::string>;  // action id, client id

// A target's row as it is, then as it will be.
struct Held {
  TargetStatus status = TargetStatus::kAccepted;
  base::Timestamp deadline{};
  bool has_result = false;
  bool late = false;
  std::string reason;
  std::optional<int> progress;
  std::string note;
  const ReceivedReport* result = nullptr;  // to be written
  bool changed = false;
};

using Targets = std::map<Key, Held>;

Key KeyOf(const ReceivedReport& received) {
  return {received.report.action_id.str(), received.client_id.str()};
}

base::Result<Targets> LockTargets(Transaction& transaction,
                                  std::span<const ReceivedReport> reports) {
  std::set<Key> keys;
  for (const ReceivedReport& received : reports) keys.insert(KeyOf(received));
  TextArray action_ids;
  TextArray client_ids;
  for (const Key& key : keys) {
    action_ids.Add(key.first);
    client_ids.Add(key.second);
  }
  const auto rows = transaction.Execute(
      "SELECT t.action_id, t.client_id, t.status, t.result_received_at IS NOT NULL, t.reason,"
      "       t.progress, t.note, a.deadline "
      "FROM unnest($1::text[], $2::text[]) AS k(action_id, client_id) "
      "JOIN action_targets t ON t.action_id = k.action_id::uuid AND t.client_id = k.client_id "
      "JOIN actions a ON a.action_id = t.action_id "
      "ORDER BY t.action_id, t.client_id FOR UPDATE OF t",
      {action_ids, client_ids});
  if (!rows) return rows.error();
  Targets targets;
  for (int row = 0; row < rows->size(); ++row) {
    const auto status = action::ParseTargetStatus(rows->Get(row, 2));
    if (!status) return base::MakeError(base::ErrorCode::kInternal, "a target has no known status");
    Held held;
    held.status = *status;
    held.has_result = rows->GetBool(row, 3);
    held.reason = rows->Get(row, 4);
    if (!rows->IsNull(row, 5)) held.progress = static_cast<int>(rows->GetInt64(row, 5));
    held.note = rows->Get(row, 6);
    held.deadline = rows->GetTimestamp(row, 7);
    targets.emplace(Key(rows->Get(row, 0), rows->Get(row, 1)), std::move(held));
  }
  return targets;
}

// Which of the actions that `reports` name exist, asked only about reports without a target.
base::Result<std::set<std::string>> FindActions(Transaction& transaction,
                                                std::span<const ReceivedReport> reports,
                                                const Targets& targets) {
  TextArray ids;
  for (const ReceivedReport& received : reports) {
    if (!targets.contains(KeyOf(received))) ids.Add(received.report.action_id.view());
  }
  std::set<std::string> found;
  if (ids.size() == 0) return found;
  const auto rows = transaction.Execute(
      "SELECT action_id FROM actions WHERE action_id = ANY ($1::text[]::uuid[])", {ids});
  if (!rows) return rows.error();
  for (int row = 0; row < rows->size(); ++row) found.emplace(rows->Get(row, 0));
  return found;
}

bool IsEnd(TargetEvent event) {
  return event == TargetEvent::kSucceeded || event == TargetEvent::kFailed;
}

bool IsRepeatedProgress(const Held& held, const action::Report& report) {
  return held.status == TargetStatus::kRunning && report.event == TargetEvent::kRunning &&
         held.progress == report.progress && held.note == report.note;
}

// The deadline has passed, but nobody has written so yet.
void Expire(Held& held) {
  const auto next = action::Next(held.status, TargetEvent::kExpired);
  if (!next) return;
  held.status = *next;
  held.reason = action::kNoAnswer;
  held.changed = true;
}

ReportEffect Apply(const ReceivedReport& received, Held& held) {
  const action::Report& report = received.report;
  if (received.received_at > held.deadline) Expire(held);
  if (const auto next = action::Next(held.status, report.event)) {
    if (IsRepeatedProgress(held, report)) return ReportEffect::kNoChange;
    held.status = *next;
    held.reason = report.reason;
    if (report.event == TargetEvent::kRunning) {
      held.progress = report.progress;
      held.note = report.note;
    }
  } else if (IsEnd(report.event) && action::KeepsLateAnswer(held.status) && !held.has_result) {
    held.late = true;
  } else {
    return ReportEffect::kNoChange;
  }
  if (IsEnd(report.event)) {
    held.result = &received;
    held.has_result = true;
  }
  held.changed = true;
  return ReportEffect::kApplied;
}

std::optional<std::string> NullIfEmpty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

// The changed rows, one array for each column.
struct Columns {
  TextArray action_ids, client_ids, statuses, reasons, notes, contents, metadata;
  Int32Array progress;
  TimestampArray received;
  BoolArray late;

  void Add(const Key& key, const Held& held) {
    action_ids.Add(key.first);
    client_ids.Add(key.second);
    statuses.Add(action::TargetStatusName(held.status));
    reasons.AddOptional(NullIfEmpty(held.reason));
    notes.AddOptional(NullIfEmpty(held.note));
    held.progress ? progress.Add(*held.progress) : progress.AddNull();
    late.Add(held.late);
    if (held.result == nullptr) {
      contents.AddNull();
      metadata.AddNull();
      received.AddNull();
      return;
    }
    contents.Add(held.result->report.content);
    metadata.Add(held.result->report.metadata);
    received.Add(held.result->received_at);
  }
};

base::Status Write(Transaction& transaction, const Targets& targets) {
  Columns columns;
  for (const auto& [key, held] : targets) {
    if (held.changed) columns.Add(key, held);
  }
  if (columns.action_ids.size() == 0) return {};
  const auto done = transaction.Execute(
      "UPDATE action_targets t SET status = n.status, reason = n.reason, progress = n.progress, "
      "note = n.note,"
      "  updated_at = now(),"
      "  result_content = coalesce(n.content::json, t.result_content),"
      "  result_metadata = coalesce(n.metadata::json, t.result_metadata),"
      "  result_received_at = coalesce(n.received_at, t.result_received_at),"
      "  result_late = t.result_late OR n.late "
      "FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::text[], "
      "$7::text[],"
      "            $8::text[], $9::timestamptz[], $10::boolean[])"
      "  AS n(action_id, client_id, status, reason, progress, note, content, metadata, "
      "received_at, late) "
      "WHERE t.action_id = n.action_id::uuid AND t.client_id = n.client_id",
      {columns.action_ids, columns.client_ids, columns.statuses, columns.reasons, columns.progress,
       columns.notes, columns.contents, columns.metadata, columns.received, columns.late});
  if (!done) return done.error();
  return {};
}

}  // namespace

base::Result<std::vector<ReportEffect>> ApplyReports(Transaction& transaction,
                                                     std::span<const ReceivedReport> reports) {
  std::vector<ReportEffect> effects;
  if (reports.empty()) return effects;
  auto targets = LockTargets(transaction, reports);
  if (!targets) return std::move(targets).error();
  const auto actions = FindActions(transaction, reports, *targets);
  if (!actions) return actions.error();
  effects.reserve(reports.size());
  for (const ReceivedReport& received : reports) {
    const auto target = targets->find(KeyOf(received));
    if (target != targets->end()) {
      effects.push_back(Apply(received, target->second));
    } else {
      effects.push_back(actions->contains(received.report.action_id.str())
                            ? ReportEffect::kNotATarget
                            : ReportEffect::kUnknownAction);
    }
  }
  if (base::Status written = Write(transaction, *targets); !written) {
    return std::move(written).error();
  }
  return effects;
}

}  // namespace heliograph::postgres
