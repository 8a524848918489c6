#include "action/action.h"

#include <gtest/gtest.h>

#include "json/json.h"

namespace heliograph::action {
namespace {

using std::chrono::seconds;

Action Example() {
  Action action;
  action.id = ActionId("01234567-89ab-7def-8123-456789abcdef");
  action.directive = Directive("solar.configure");
  action.payload = R"({"limit_w":4000})";
  action.requested_by = "billing \"nightly\"";
  action.created_at = base::Timestamp{seconds(1)};
  action.deadline = base::Timestamp{seconds(61)};
  action.totals = {{TargetStatus::kPublished, 1}, {TargetStatus::kOffline, 2}};
  Target target;
  target.client_id = device::ClientId("d-1");
  target.status = TargetStatus::kPublished;
  target.updated_at = base::Timestamp{seconds(2)};
  action.targets = {target};
  return action;
}

TEST(WriteAction, HasEveryField) {
  EXPECT_EQ(
      WriteAction(Example()),
      R"({"action_id":"01234567-89ab-7def-8123-456789abcdef","directive":"solar.configure",)"
      R"("requested_by":"billing \"nightly\"","tenant":null,"if_offline":"fail","replay_of":null,)"
      R"("created_at":"1970-01-01T00:00:01.000000Z","deadline":"1970-01-01T00:01:01.000000Z",)"
      R"("payload":{"limit_w":4000},"metadata":null,"not_before":null,"rate_per_s":null,)"
      R"("max_in_flight":null,"abort_if":null,"status":"running","paused_at":null,)"
      R"("aborted_at":null,"cancelled_at":null,)"
      R"("pace":{"ended_per_s":0.00,"over_s":1.0,"remaining":1},"totals":{"published":1,"offline":2},)"
      R"("targets":[{"client_id":"d-1","status":"published","reason":null,)"
      R"("updated_at":"1970-01-01T00:00:02.000000Z","progress":null,"note":null,"result":null}]})");
}

TEST(WriteAction, TellsThePaceOfTheLastMinute) {
  Action action = Example();
  action.targets->clear();
  action.as_of = action.created_at + seconds(100);
  for (const int age : {100, 61, 59, 1, 0}) {
    Target target = Example().targets->front();
    target.status = TargetStatus::kSucceeded;
    target.updated_at = action.as_of - seconds(age);  // the first ended at acceptance
    action.targets->push_back(target);
  }
  CountEnded(action);
  EXPECT_EQ(action.ended_lately, 3);
  EXPECT_FALSE(action.ended) << "one is published";
  const auto parsed = json::Parse(WriteAction(action));
  EXPECT_EQ((*parsed)["pace"],
            (*json::Parse(R"({"ended_per_s":0.05,"over_s":60.0,"remaining":1})")));
  action.as_of = action.created_at + seconds(30);
  action.rollout.not_before = action.created_at + seconds(10);
  EXPECT_EQ((*json::Parse(WriteAction(action)))["pace"]["over_s"], 20) << "since it began";
}

TEST(WriteAction, SaysWhatItLeavesOut) {
  Action action = Example();
  action.tenant = device::TenantId("acme");
  Result result;
  result.content_bytes = 300'000;
  result.late = true;
  action.targets->front().result = result;
  const auto parsed = json::Parse(WriteAction(action));
  ASSERT_TRUE(parsed);
  EXPECT_EQ((*parsed)["tenant"], "acme");
  const json::Value& written = (*parsed)["targets"][0]["result"];
  EXPECT_TRUE(written["content"].is_null());
  EXPECT_EQ(written["content_omitted"], true);
  EXPECT_EQ(written["content_bytes"], 300'000);
  EXPECT_EQ(written["late"], true);

  action.targets.reset();
  EXPECT_TRUE((*json::Parse(WriteAction(action)))["targets"].is_null());
}

}  // namespace
}  // namespace heliograph::action
