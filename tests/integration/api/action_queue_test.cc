// Targets that wait: which are queued when an action is accepted, and which no longer.
#include "store_fixture.h"

namespace heliograph::postgres {
namespace {

using action::TargetEvent;
using action::TargetStatus;
using device::ClientId;

class ActionQueueTest : public StoreTest {};

TEST_F(ActionQueueTest, ALivingDispatcherHasItsLeaseAndADeadOneNothing) {
  AddConnection("a", "online");
  NewAction action = ActionFor({"a"});
  action.dispatcher = "@one";
  EXPECT_FALSE(Must(store_.Create(action))) << "who has no lease accepts nothing";
  EXPECT_EQ(One("SELECT count(*) FROM actions"), "0");
  Run("INSERT INTO dispatchers VALUES ('@one', now() + interval '5 seconds')");
  ASSERT_TRUE(Must(store_.Create(action)));
  EXPECT_FALSE(Must(store_.FindRequest(action.request))->abandoned);
  Run("UPDATE dispatchers SET lease_until = now() - interval '1 minute'");
  EndLease();
  EXPECT_FALSE(Must(store_.FindRequest(action.request))->abandoned)
      << "it may be paused, and publish when it wakes up";
  EXPECT_FALSE(Must(store_.FinishOldestAbandoned({})));
  Run("UPDATE dispatchers SET lease_until = now() + interval '5 seconds'");
  EXPECT_TRUE(Must(store_.FindRequest(action.request))->abandoned) << "it lives, and is late";
  Run("UPDATE dispatchers SET lost = true");
  EXPECT_FALSE(Must(store_.FindRequest(action.request))->abandoned) << "it may be connected still";
  Run("DELETE FROM dispatchers");
  Run("UPDATE idempotency_keys SET lease_until = now() + interval '1 hour'");
  EXPECT_TRUE(Must(store_.FindRequest(action.request))->abandoned);
  EXPECT_TRUE(Must(store_.FinishOldestAbandoned(std::chrono::minutes(1))))
      << "nobody is waited for";
  EXPECT_EQ(StatusOf(action, "a"), "queued dispatcher_ended");
}

TEST_F(ActionQueueTest, WhatMayWaitIsQueuedAndTheRestIsNot) {
  AddConnection("on", "online");
  AddConnection("off", "offline");
  AddConnection("forbidden", "offline");
  NewAction first = Queueing(ActionFor({"on", "off", "forbidden", "never"}, "1"));
  first.forbidden = {ClientId("forbidden")};
  const AcceptedAction accepted = *Must(store_.Create(first));
  EXPECT_EQ(accepted.targets.at(0).status, TargetStatus::kUnauthorised);
  EXPECT_EQ(accepted.targets.at(1).status, TargetStatus::kUnknown);
  EXPECT_EQ(accepted.targets.at(2).status, TargetStatus::kQueued);
  EXPECT_EQ(accepted.targets.at(2).reason, action::kNotOnline);
  EXPECT_EQ(accepted.targets.at(3).status, TargetStatus::kAccepted);
  EXPECT_EQ(One("SELECT string_agg(client_id || ' ' || tries, ',') FROM queued_targets"), "off 0");
  EXPECT_EQ(One("SELECT wake_at = 'infinity' AND owner IS NULL FROM mailboxes"), "t");
  EXPECT_EQ(Must(store_.Get(first.action.id, std::nullopt))->if_offline, action::IfOffline::kQueue);
  Run("UPDATE connections SET state = 'online'");
  EXPECT_EQ(Must(store_.Create(Queueing(ActionFor({"off"}, "2"))))->targets[0].status,
            TargetStatus::kQueued)
      << "behind the one that waits";
  EXPECT_EQ(One("SELECT wake_at <= now() FROM mailboxes"), "t")
      << "its device came online, and nobody had told it";
  EXPECT_EQ(Must(store_.Create(ActionFor({"off"}, "3")))->targets[0].status,
            TargetStatus::kAccepted)
      << "who does not ask to wait does not";
  EXPECT_EQ(One("SELECT arrivals FROM mailboxes"), "1");
}

TEST_F(ActionQueueTest, WhatEndsWaitsNoLonger) {
  AddConnection("off", "offline");
  AddConnection("sent", "online");
  const NewAction cancelled = Queueing(ActionFor({"off"}, "1"));
  const NewAction expired = Queueing(ActionFor({"off"}, "2"));
  const NewAction tried = ActionFor({"sent"}, "3");
  for (const NewAction* each : {&cancelled, &expired, &tried}) Must(store_.Create(*each));
  ASSERT_TRUE(store_.Finish(
      Finished(tried, {{ClientId("sent"), TargetEvent::kQueued, "not_acknowledged"}})));
  EXPECT_EQ(StatusOf(tried, "sent"), "queued not_acknowledged");
  EXPECT_EQ(One("SELECT count(*) FROM queued_targets"), "3");
  Must(store_.Cancel(cancelled.action.id, {}));
  EXPECT_EQ(StatusOf(cancelled, "off"), "cancelled before_sending");
  Must(store_.Cancel(tried.action.id, {}));
  EXPECT_EQ(StatusOf(tried, "sent"), "cancelled while_sending") << "it may have been delivered";
  Run("UPDATE actions SET deadline = now() - interval '1 second'");
  EXPECT_EQ(Must(store_.ExpireDue()).targets, 1);
  EXPECT_EQ(StatusOf(expired, "off"), "expired not_online");
  EXPECT_EQ(One("SELECT count(*) FROM queued_targets"), "0");
}

}  // namespace
}  // namespace heliograph::postgres
