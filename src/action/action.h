// An action and its targets as callers see them: the REST object. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "action/ids.h"
#include "action/if_offline.h"
#include "action/rollout.h"
#include "action/target_status.h"
#include "base/clock.h"
#include "device/ids.h"

namespace heliograph::action {

inline constexpr std::size_t kTargetsInFull = 1000;  // an action with more shows them by pages only
inline constexpr std::chrono::seconds kPaceOver{60};
inline constexpr std::size_t kContentInFull = 1024 * 1024;  // bytes of results in one answer

// What the device answered at the end.
struct Result {
  std::optional<std::string> content;  // compact JSON; nullopt = left out here, see content_bytes
  std::size_t content_bytes = 0;
  std::string metadata = "null";  // an object of strings, or null
  base::Timestamp received_at{};
  bool late = false;  // it came when the target had ended otherwise
};

struct Target {
  device::ClientId client_id;
  TargetStatus status = TargetStatus::kAccepted;
  std::string reason;  // why it is so; "" = nothing to say
  base::Timestamp updated_at{};
  std::optional<int> progress;  // 0 to 100, as the device last said
  std::string note;
  std::optional<Result> result;
};

struct Action {
  ActionId id;
  Directive directive;
  std::string payload = "null";            // compact JSON
  std::string metadata = "null";           // an object of strings, or null
  std::string requested_by;                // the caller's name
  std::optional<device::TenantId> tenant;  // nullopt = an operator's
  IfOffline if_offline = IfOffline::kFail;
  std::optional<ActionId> replay_of;  // of whose dead letters it tries some again
  base::Timestamp created_at{};
  base::Timestamp deadline{};  // each target is final 5 s later
  Rollout rollout = {};
  std::optional<base::Timestamp> paused_at = {};
  std::optional<base::Timestamp> aborted_at = {};
  std::optional<base::Timestamp> cancelled_at = {};
  bool ended = false;       // every target has; of a listed action, as far as it was noticed
  base::Timestamp as_of{};  // when it was so, by the clock of created_at
  // Targets that have ended in the last kPaceOver before as_of, but not at acceptance.
  std::int64_t ended_lately = 0;
  std::map<TargetStatus, std::int64_t> totals;
  std::optional<std::vector<Target>> targets;  // nullopt = more than kTargetsInFull
};

// Where every target is counted in `totals`: sets `ended`, and `ended_lately` from `targets`.
void CountEnded(Action& action);

// JSON. A heading is without payload, metadata, totals and targets.
void AppendHeading(std::string& out, const Action& action);
// What a list of actions shows: a heading, the rollout and the status.
void AppendListed(std::string& out, const Action& action);
// With payload and metadata: all that was asked for.
void AppendRequest(std::string& out, const Action& action);
void AppendTarget(std::string& out, const Target& target);
std::string WriteAction(const Action& action);

// Words of `reason`; callers may rely on them.
inline constexpr std::string_view kNotOnline = "not_online";         // offline, or queued
inline constexpr std::string_view kNoSuchDevice = "no_such_device";  // unknown
inline constexpr std::string_view kNotPermitted = "not_permitted";   // unauthorised
inline constexpr std::string_view kNoMatchingSubscribers =
    "no_matching_subscribers";  // undeliverable, or queued
inline constexpr std::string_view kRefusedByBroker = "refused_by_broker";  // undeliverable
// Queued, and expired where the deadline came before the broker: these three.
inline constexpr std::string_view kNotAcknowledged =
    "not_acknowledged";                                   // it may have been delivered
inline constexpr std::string_view kNotSent = "not_sent";  // broker away, or too slow
inline constexpr std::string_view kDispatcherEnded =
    "dispatcher_ended";  // it may have been delivered
// Queued, and expired before its turn came.
inline constexpr std::string_view kHeldBack = "held_back";  // by its rollout, or a pause
inline constexpr std::string_view kRolloutAborted =
    "aborted";  // cancelled: too many others had failed
inline constexpr std::string_view kBeforeSending = "before_sending";  // cancelled, these three
inline constexpr std::string_view kWhileSending = "while_sending";    // it may have been delivered
inline constexpr std::string_view kAfterSending = "after_sending";
inline constexpr std::string_view kNoAnswer =
    "no_answer";  // expired: the broker had it, or even the device

}  // namespace heliograph::action
