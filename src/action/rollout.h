// When, how fast and how far an action goes out: what a caller asks for, and the rules by which
// its targets are let go. docs/decisions/0023-rollout.md. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"

namespace heliograph::action {

inline constexpr std::int64_t kHighestRate = 10'000;        // targets a second
inline constexpr std::int64_t kMostInFlight = 1'000'000;    // also the highest min_finished
inline constexpr std::chrono::milliseconds kSoonest{100};   // from one look to the next
inline constexpr std::chrono::milliseconds kLatest{1'000};  // while there may be something to do

struct AbortIf {
  std::int64_t failed_percent = 0;  // 1 to 100, of those that have finished
  std::int64_t min_finished = 0;    // 1 or more
};

struct Rollout {
  std::optional<base::Timestamp> not_before;
  std::optional<std::int64_t> rate_per_s;
  std::optional<std::int64_t> max_in_flight;
  std::optional<AbortIf> abort_if;

  bool any() const { return not_before || paces(); }
  // Each target needs a permit of its own.
  bool paces() const { return rate_per_s || max_in_flight || abort_if; }
};

// `"not_before":…,"rate_per_s":…,"max_in_flight":…,"abort_if":…`; null where it was not asked for.
void AppendRollout(std::string& out, const Rollout& rollout);

// How far it is.
struct RolloutState {
  std::int64_t in_flight = 0;  // targets that may be published, or were, and have not ended
  std::int64_t finished = 0;   // of those that were sent: before the deadline, and not cancelled
  std::int64_t failed = 0;     // of these, those that have not succeeded
  double credit = 1;           // targets that the rate allows
  base::Timestamp credited_at{};
  base::Timestamp moved_at{};  // when a target went or ended last
};

// Adds what the rate allows since it was last added, to a second's worth at most: in any T seconds
// at most rate * (T + 1) targets are let go.
void AddCredit(const Rollout& rollout, base::Timestamp now, RolloutState& state);

// How many more targets may go now, `most` at most.
std::int64_t MayGo(const Rollout& rollout, const RolloutState& state, std::int64_t most);

bool MustAbort(const Rollout& rollout, const RolloutState& state);

// How soon to look again while targets are held back.
std::chrono::milliseconds NextLook(const Rollout& rollout, const RolloutState& state,
                                   base::Timestamp now);

}  // namespace heliograph::action
