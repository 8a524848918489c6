// The life of one target of an action: one table says what each event does in each status.
// docs/PROTOCOL.md, "REST".
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace heliograph::action {

// In the order of a life; from kSucceeded on they are final, and a final status never changes.
enum class TargetStatus {
  kAccepted,       // stored; not yet with the broker
  kQueued,         // waits for its device
  kPublished,      // the broker has acknowledged it
  kDelivered,      // the device said that it has it
  kRunning,        // the device works on it
  kSucceeded,      // the device said so
  kFailed,         // the device said so
  kExpired,        // the deadline passed
  kOffline,        // the device was not online
  kUnknown,        // no such device for this caller
  kUnauthorised,   // this caller may not, with this device
  kCancelled,      // by a caller
  kUndeliverable,  // the broker did not take it, in time or at all
};
inline constexpr std::size_t kTargetStatuses = 13;

// What happens to a target. Events come late, twice and in any order: a device may answer before we
// hear of the broker's acknowledgement, Kafka may repeat, a process may die in between.
enum class TargetEvent {
  kQueued,         // its device is not online, and it may wait
  kPublished,      // PUBACK
  kUndeliverable,  // refused, nobody listens, or no PUBACK in time
  kDelivered,      // the device's answers, from here on
  kRunning,
  kSucceeded,
  kFailed,        // the last of the device's
  kExpired,       // the deadline has passed
  kCancelled,     // a caller called it off
  kOffline,       // its device is not online, and it may not wait
  kUnknown,       // there is no such device for this caller, or not any more
  kUnauthorised,  // the caller may not, or not any more
};
inline constexpr std::size_t kTargetEvents = 12;

std::string_view TargetStatusName(
    TargetStatus status);  // "accepted": the word in SQL, JSON, logs and metrics
std::optional<TargetStatus> ParseTargetStatus(std::string_view name);
bool IsFinal(TargetStatus status);

// The status after the event; nullopt where the event changes nothing. kRunning in kRunning is
// news: its progress.
std::optional<TargetStatus> Next(TargetStatus status, TargetEvent event);

// The statuses in which the event is news: the WHERE clause of an update, so that the rule stands
// in one place.
std::vector<TargetStatus> ChangedBy(TargetEvent event);

// Whether an answer that arrives in this final status is kept beside it, marked late: the status
// was our guess (the device may have received the action after all), and a final status never
// changes. Never where nothing was ever sent.
bool KeepsLateAnswer(TargetStatus status);

}  // namespace heliograph::action
