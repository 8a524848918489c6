#include "action/action.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "action/action_status.h"
#include "base/rfc3339.h"
#include "json/json.h"

namespace heliograph::action {
namespace {

void AppendTextOrNull(std::string& out, std::string_view text) {
  if (text.empty()) {
    out += "null";
  } else {
    json::AppendString(out, text);
  }
}

void AppendTime(std::string& out, base::Timestamp time) {
  out.append(1, '"').append(base::FormatRfc3339(time)).append(1, '"');
}

void AppendResult(std::string& out, const Result& result) {
  out += R"({"content":)";
  out += result.content ? *result.content : "null";
  if (!result.content) {
    out += R"(,"content_omitted":true,"content_bytes":)" + std::to_string(result.content_bytes);
  }
  out += R"(,"metadata":)" + result.metadata + R"(,"received_at":)";
  AppendTime(out, result.received_at);
  out += result.late ? R"(,"late":true})" : R"(,"late":false})";
}

void AppendTargets(std::string& out, const std::vector<Target>& targets) {
  out += '[';
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (i > 0) out += ',';
    AppendTarget(out, targets[i]);
  }
  out += ']';
}

void AppendTotals(std::string& out, const std::map<TargetStatus, std::int64_t>& totals) {
  out += '{';
  for (const auto& [status, count] : totals) {
    if (out.back() != '{') out += ',';
    json::AppendString(out, TargetStatusName(status));
    out += ':' + std::to_string(count);
  }
  out += '}';
}

// The object up to its last member that every view of an action has.
void AppendMembers(std::string& out, const Action& action) {
  out += R"({"action_id":)";
  json::AppendString(out, action.id.view());
  out += R"(,"directive":)";
  json::AppendString(out, action.directive.view());
  out += R"(,"requested_by":)";
  json::AppendString(out, action.requested_by);
  out += R"(,"tenant":)";
  AppendTextOrNull(out, action.tenant ? action.tenant->view() : std::string_view());
  out += R"(,"if_offline":)";
  json::AppendString(out, IfOfflineName(action.if_offline));
  out += R"(,"replay_of":)";
  AppendTextOrNull(out, action.replay_of ? action.replay_of->view() : std::string_view());
  out += R"(,"created_at":)";
  AppendTime(out, action.created_at);
  out += R"(,"deadline":)";
  AppendTime(out, action.deadline);
}

void AppendOptionalTime(std::string& out, const std::optional<base::Timestamp>& time) {
  if (time) {
    AppendTime(out, *time);
  } else {
    out += "null";
  }
}

// How the action goes out, and where it stands.
void AppendCourse(std::string& out, const Action& action) {
  out += ',';
  AppendRollout(out, action.rollout);
  out += R"(,"status":)";
  json::AppendString(out, ActionStatusName(StatusOf(action)));
  out += R"(,"paused_at":)";
  AppendOptionalTime(out, action.paused_at);
  out += R"(,"aborted_at":)";
  AppendOptionalTime(out, action.aborted_at);
  out += R"(,"cancelled_at":)";
  AppendOptionalTime(out, action.cancelled_at);
}

// Over the last minute, or since it began where that is less.
void AppendPace(std::string& out, const Action& action) {
  const base::Timestamp begin =
      std::max(action.created_at, action.rollout.not_before.value_or(action.created_at));
  const double over_s = std::clamp(std::chrono::duration<double>(action.as_of - begin).count(), 1.0,
                                   std::chrono::duration<double>(kPaceOver).count());
  std::int64_t open = 0;
  for (const auto& [status, count] : action.totals) open += IsFinal(status) ? 0 : count;
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), R"(,"pace":{"ended_per_s":%.2f,"over_s":%.1f)",
                static_cast<double>(action.ended_lately) / over_s, over_s);
  out.append(text.data()).append(R"(,"remaining":)").append(std::to_string(open)).append(1, '}');
}

void AppendOrder(std::string& out, const Action& action) {
  out += R"(,"payload":)" + action.payload + R"(,"metadata":)" + action.metadata;
}

}  // namespace

void AppendTarget(std::string& out, const Target& target) {
  out += R"({"client_id":)";
  json::AppendString(out, target.client_id.view());
  out += R"(,"status":)";
  json::AppendString(out, TargetStatusName(target.status));
  out += R"(,"reason":)";
  AppendTextOrNull(out, target.reason);
  out += R"(,"updated_at":)";
  AppendTime(out, target.updated_at);
  out += R"(,"progress":)" + (target.progress ? std::to_string(*target.progress) : "null");
  out += R"(,"note":)";
  AppendTextOrNull(out, target.note);
  out += R"(,"result":)";
  if (target.result) {
    AppendResult(out, *target.result);
  } else {
    out += "null";
  }
  out += '}';
}

void AppendHeading(std::string& out, const Action& action) {
  AppendMembers(out, action);
  out += '}';
}

void AppendListed(std::string& out, const Action& action) {
  AppendMembers(out, action);
  AppendCourse(out, action);
  out += '}';
}

void CountEnded(Action& action) {
  action.ended = !action.totals.empty() &&
                 std::all_of(action.totals.begin(), action.totals.end(), [](const auto& total) {
                   return total.second == 0 || IsFinal(total.first);
                 });
  if (!action.targets) return;
  action.ended_lately = std::count_if(
      action.targets->begin(), action.targets->end(), [&action](const Target& target) {
        const bool late = target.result && target.result->late;
        return IsFinal(target.status) && !late && target.updated_at > action.created_at &&
               target.updated_at > action.as_of - kPaceOver;
      });
}

void AppendRequest(std::string& out, const Action& action) {
  AppendMembers(out, action);
  AppendOrder(out, action);
  out += '}';
}

std::string WriteAction(const Action& action) {
  std::string out;
  AppendMembers(out, action);
  AppendOrder(out, action);
  AppendCourse(out, action);
  AppendPace(out, action);
  out += R"(,"totals":)";
  AppendTotals(out, action.totals);
  out += R"(,"targets":)";
  if (action.targets) {
    AppendTargets(out, *action.targets);
  } else {
    out += "null";
  }
  out += '}';
  return out;
}

}  // namespace heliograph::action
