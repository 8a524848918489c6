// Targets that wait: which are queued when an action is accepted, and which no longer.
#include "postgres/dispatch_queue.h"
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

// A new action to very many devices is what PostgreSQL has no statistics of for up to a minute:
// then it takes any device for one with hundreds of targets.
TEST_F(ActionQueueTest, WhatWaitsIsFoundWithoutReadingTablesWholeBeforePostgresqlHasCountedThem) {
  for (const char* table : {"connections", "action_targets", "queued_targets", "mailboxes"}) {
    Run("ALTER TABLE " + std::string(table) + " SET (autovacuum_enabled = false)");
  }
  Run("INSERT INTO dispatchers VALUES ('@one', now() + interval '1 hour')");
  Run("INSERT INTO connections (client_id, state, since, reason, last_seen, log_generation,"
      " log_partition, log_offset) SELECT 'd-' || n, 'offline', now(), 'said_offline', now(), 1, 0,"
      " n FROM generate_series(1, 20000) AS n");
  Run("INSERT INTO actions (action_id, requested_by, directive, payload, deadline, if_offline)"
      " SELECT md5(n::text)::uuid, 'tester', 'd', '1', now() + interval '1 hour', 'queue'"
      " FROM generate_series(1, 4) AS n");
  Run("INSERT INTO action_targets (action_id, client_id, status)"
      " SELECT md5((1 + n % 4)::text)::uuid, 'd-' || n, 'queued' FROM generate_series(1, 20000) n");
  Run("INSERT INTO queued_targets (client_id, action_id) SELECT client_id, action_id"
      " FROM action_targets");
  Run("INSERT INTO mailboxes (client_id, wake_at) SELECT client_id, 'infinity'"
      " FROM queued_targets");
  Config config = StoreConfig();
  config.pool_size = 1;  // what a session has read it tells when it is asked to
  Pool one(config, "test");
  DispatchQueue queue(one, std::chrono::seconds(5));
  const auto rows_read = [&] {
    auto session = Must(one.Acquire(std::chrono::steady_clock::now() + std::chrono::seconds(5)));
    Must(session->ExecuteScript("SELECT pg_stat_force_next_flush()"));
    return Must(session->ExecuteScript("SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE "
                                       "relname IN ('action_targets', 'queued_targets')"))
        .GetInt64(0, 0);
  };
  const std::int64_t before = rows_read();
  EXPECT_EQ(Must(queue.Sweep(ClientId(), 1000)).view(), "d-10898") << "the thousandth";
  Run("UPDATE mailboxes SET wake_at = now() WHERE client_id < 'd-105'");
  // The oldest and the youngest, who may be the same here.
  EXPECT_GE(Must(queue.Claim("@one", 500)).mail.size(), 450U);
  EXPECT_LT(rows_read() - before, 100'000) << "each mailbox's own, and what filling had read, told "
                                              "late; read once for each, it is millions";
  for (const char* table : {"connections", "action_targets", "queued_targets", "mailboxes"}) {
    Run("ALTER TABLE " + std::string(table) + " RESET (autovacuum_enabled)");
  }
}

}  // namespace
}  // namespace heliograph::postgres
