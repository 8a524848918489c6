#include "action/rollout.h"

#include <gtest/gtest.h>

#include "action/action_status.h"
#include "action/request.h"

namespace heliograph::action {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr base::Timestamp kNow{seconds(1'000'000)};

Rollout AtRate(std::int64_t rate) {
  Rollout rollout;
  rollout.rate_per_s = rate;
  return rollout;
}

TEST(AddCredit, LetsGoAtTheRateAndNoMoreThanASecondsWorthAtOnce) {
  const Rollout rollout = AtRate(10);
  RolloutState state;
  state.credited_at = kNow;
  EXPECT_EQ(MayGo(rollout, state, 1000), 1) << "the first goes at once";
  state.credit -= 1;
  AddCredit(rollout, kNow + milliseconds(50), state);
  EXPECT_EQ(MayGo(rollout, state, 1000), 0) << "half a target";
  AddCredit(rollout, kNow + milliseconds(100), state);
  EXPECT_EQ(MayGo(rollout, state, 1000), 1) << "two halves";
  AddCredit(rollout, kNow + seconds(3600), state);
  EXPECT_EQ(MayGo(rollout, state, 1000), 10) << "an hour of nothing is no burst";
  EXPECT_EQ(MayGo(rollout, state, 3), 3);
}

TEST(AddCredit, AClockThatGoesBackGivesNothingTwice) {
  const Rollout rollout = AtRate(10);
  RolloutState state;
  state.credit = 0;
  state.credited_at = kNow;
  AddCredit(rollout, kNow - seconds(5), state);
  EXPECT_EQ(MayGo(rollout, state, 1000), 0);
  AddCredit(rollout, kNow, state);
  EXPECT_EQ(MayGo(rollout, state, 1000), 0);
}

TEST(MayGo, TheNarrowestLimitCounts) {
  Rollout rollout = AtRate(10);
  rollout.max_in_flight = 7;
  RolloutState state;
  state.credit = 10;
  EXPECT_EQ(MayGo(rollout, state, 1000), 7);
  state.in_flight = 5;
  EXPECT_EQ(MayGo(rollout, state, 1000), 2);
  state.in_flight = 9;  // what may have been published counts, whoever let it go
  EXPECT_EQ(MayGo(rollout, state, 1000), 0);
  EXPECT_EQ(MayGo({}, state, 1000), 1000) << "no limits";
}

TEST(MustAbort, WhenEnoughHaveFinishedAndEnoughOfThemHaveFailed) {
  const struct {
    AbortIf abort_if;
    std::int64_t finished, failed;
    bool aborts;
    const char* why;
  } cases[] = {
      {{10, 20}, 19, 19, false, "too few to tell"},       {{10, 20}, 20, 1, false, "5 %"},
      {{10, 20}, 20, 2, true, "10 % is at least 10 %"},   {{100, 1}, 1, 1, true, "all of one"},
      {{100, 1}, 1'000'000, 999'999, false, "not all"},   {{1, 1}, 1, 0, false, "nobody failed"},
      {{1, 1}, 1'000'000, 10'000, true, "large numbers"},
  };
  for (const auto& each : cases) {
    Rollout rollout;
    rollout.abort_if = each.abort_if;
    RolloutState state;
    state.finished = each.finished;
    state.failed = each.failed;
    EXPECT_EQ(MustAbort(rollout, state), each.aborts) << each.why;
  }
  EXPECT_FALSE(MustAbort({}, {})) << "nobody asked for it";
}

TEST(NextLook, SoonWhileThingsMoveAndSeldomWhileTheyDoNot) {
  Rollout rollout;
  rollout.max_in_flight = 1;
  RolloutState state;
  state.in_flight = 1;
  state.moved_at = kNow;
  EXPECT_EQ(NextLook(rollout, state, kNow), kSoonest);
  EXPECT_EQ(NextLook(rollout, state, kNow + seconds(2)), milliseconds(500));
  EXPECT_EQ(NextLook(rollout, state, kNow + seconds(60)), kLatest);
  state.in_flight = 0;
  EXPECT_EQ(NextLook(rollout, state, kNow), milliseconds(0)) << "another may go now";
}

TEST(StatusOf, TheStrongestWordCounts) {
  Action action;
  action.as_of = kNow;
  EXPECT_EQ(StatusOf(action), ActionStatus::kRunning);
  action.rollout.not_before = kNow;
  EXPECT_EQ(StatusOf(action), ActionStatus::kRunning) << "it begins now";
  action.rollout.not_before = kNow + seconds(1);
  EXPECT_EQ(StatusOf(action), ActionStatus::kScheduled);
  action.paused_at = kNow;
  EXPECT_EQ(StatusOf(action), ActionStatus::kPaused);
  action.ended = true;
  EXPECT_EQ(StatusOf(action), ActionStatus::kEnded);
  action.aborted_at = kNow;
  EXPECT_EQ(StatusOf(action), ActionStatus::kAborted);
  action.cancelled_at = kNow;
  EXPECT_EQ(StatusOf(action), ActionStatus::kCancelled);
}

TEST(ActionStatus, HasAWordThatIsReadBack) {
  for (int i = 0; i < 6; ++i) {
    const auto status = static_cast<ActionStatus>(i);
    EXPECT_EQ(ParseActionStatus(ActionStatusName(status)), status);
  }
  EXPECT_FALSE(ParseActionStatus("done"));
  EXPECT_FALSE(ParseActionStatus(""));
}

std::variant<Request, RequestFault> Parsed(const std::string& members) {
  return ParseRequest(R"({"targets":{"client_ids":["a"]},"directive":"d","payload":1,)" + members +
                      "}");
}

TEST(ParseRequest, ReadsTheRollout) {
  const auto parsed =
      Parsed(R"("not_before":"2026-11-22T01:00:00+01:00","rate_per_s":5.0,"max_in_flight":1000000,)"
             R"("abort_if":{"failed_percent":100,"min_finished":1})");
  ASSERT_TRUE(std::holds_alternative<Request>(parsed));
  std::string written;
  AppendRollout(written, std::get<Request>(parsed).rollout);
  EXPECT_EQ(written,
            R"("not_before":"2026-11-22T00:00:00.000000Z","rate_per_s":5,"max_in_flight":1000000,)"
            R"("abort_if":{"failed_percent":100,"min_finished":1})");
  const auto none =
      Parsed(R"("not_before":null,"rate_per_s":null,"max_in_flight":null,"abort_if":null)");
  ASSERT_TRUE(std::holds_alternative<Request>(none));
  EXPECT_FALSE(std::get<Request>(none).rollout.any());
}

TEST(ParseRequest, NamesWhatIsWrongWithTheRollout) {
  const struct {
    const char* members;
    const char* field;
  } cases[] = {
      {R"("not_before":1)", "/not_before"},
      {R"("not_before":"now")", "/not_before"},
      {R"("not_before":"2026-11-22T01:00:00Z","deadline":"2026-11-22T01:00:00Z")", "/not_before"},
      {R"("rate_per_s":0)", "/rate_per_s"},
      {R"("rate_per_s":10001)", "/rate_per_s"},
      {R"("rate_per_s":0.5)", "/rate_per_s"},
      {R"("max_in_flight":"1")", "/max_in_flight"},
      {R"("max_in_flight":1e30)", "/max_in_flight"},
      {R"("abort_if":[])", "/abort_if"},
      {R"("abort_if":{"min_finished":1})", "/abort_if/failed_percent"},
      {R"("abort_if":{"failed_percent":1})", "/abort_if/min_finished"},
      {R"("abort_if":{"failed_percent":1,"min_finished":1,"a/b":1})", "/abort_if/a~1b"},
  };
  for (const auto& each : cases) {
    const auto parsed = Parsed(each.members);
    ASSERT_TRUE(std::holds_alternative<RequestFault>(parsed)) << each.members;
    EXPECT_EQ(std::get<RequestFault>(parsed).field, each.field) << each.members;
  }
}

}  // namespace
}  // namespace heliograph::action
