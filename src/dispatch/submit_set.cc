// The part of Dispatcher that acts on sets of devices.
#include <chrono>
#include <utility>

#include "dispatch/dispatcher.h"

namespace heliograph::dispatch {
namespace {

using base::ErrorCode;

// A key that is taken, then forgotten, then taken again, while we look.
constexpr int kTries = 3;

}  // namespace

postgres::TargetSet TargetSetOf(const action::Request& request,
                                const std::optional<device::TenantId>& tenant) {
  return {tenant, request.client_ids, request.group, request.selector, request.exclude};
}

base::Result<std::variant<Answer, postgres::SetRefusal>> Dispatcher::SubmitSet(
    const Submission& submission, const postgres::Judge& judge,
    const std::optional<postgres::NamedDryRun>& dry_run) {
  using SetAnswer = std::variant<Answer, postgres::SetRefusal>;
  if (base::Status size = CheckSize(submission.request); !size) return std::move(size).error();
  base::Status deadline = CheckDeadline(submission.request);
  postgres::NewSetAction action{NewActionOf(submission, ""),
                                TargetSetOf(submission.request, submission.key.tenant), judge,
                                dry_run};
  action.action.client_ids.clear();
  for (int i = 0; i < kTries; ++i) {
    if (deadline) {
      auto created = sets_.Create(action);
      if (!created) return std::move(created).error();
      if (auto* set = std::get_if<postgres::CreatedSet>(&*created)) {
        actions_.Add();
        Count(set->action);
        return SetAnswer(Answer{set->action.id, std::move(set->answer)});
      }
      if (const auto* refusal = std::get_if<postgres::SetRefusal>(&*created)) {
        return SetAnswer(*refusal);
      }
    }
    auto followed = Follow(submission);
    if (!followed) return std::move(followed).error();
    if (*followed) {
      repeats_.Add();
      return SetAnswer(**std::move(followed));
    }
    // It was in time when the key was used first; nobody used it.
    if (!deadline) return std::move(deadline).error();
  }
  return base::MakeError(ErrorCode::kUnavailable,
                         "an earlier request with this Idempotency-Key is still being carried out");
}

}  // namespace heliograph::dispatch
