#include "postgres/action_store.h"

#include <thread>

#include "postgres/action_writes.h"
#include "postgres/transaction.h"
#include "store_fixture.h"

namespace heliograph::postgres {
namespace {

using action::TargetEvent;
using action::TargetStatus;
using device::ClientId;
using device::TenantId;

class ActionStoreTest : public StoreTest {};

TEST_F(ActionStoreTest, LooksEveryTargetUp) {
  AddConnection("on", "online", "acme");
  AddConnection("off", "offline", "acme");
  AddConnection("heard", "unknown", "acme");
  AddConnection("other", "online", "rival");
  AddConnection("nobodys", "online");
  const NewAction action =
      ActionFor({"off", "on", "heard", "other", "nobodys", "never"}, "k", TenantId("acme"));
  const auto accepted = Must(store_.Create(action));
  ASSERT_TRUE(accepted);
  std::map<std::string, TargetStatus> statuses;
  for (const AcceptedTarget& target : accepted->targets)
    statuses[target.client_id.str()] = target.status;
  EXPECT_EQ(statuses, (std::map<std::string, TargetStatus>{{"on", TargetStatus::kAccepted},
                                                           {"heard", TargetStatus::kAccepted},
                                                           {"off", TargetStatus::kOffline},
                                                           {"other", TargetStatus::kUnknown},
                                                           {"nobodys", TargetStatus::kUnknown},
                                                           {"never", TargetStatus::kUnknown}}));
  EXPECT_EQ(StatusOf(action, "off"), "offline not_online");
  EXPECT_EQ(StatusOf(action, "other"), "unknown no_such_device")
      << "another tenant's device does not exist";

  const auto by_operator = Must(store_.Create(ActionFor({"nobodys", "other"}, "k")));
  for (const AcceptedTarget& target : by_operator->targets)
    EXPECT_EQ(target.status, TargetStatus::kAccepted);
}

TEST_F(ActionStoreTest, KeepsPayloadsAsTheyAre) {
  const NewAction action = ActionFor({"a"});
  Must(store_.Create(action));
  const auto found = Must(store_.Get(action.action.id, std::nullopt));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->payload, action.action.payload);
  EXPECT_EQ(found->metadata, "null");
  EXPECT_EQ(found->directive, action.action.directive);
  EXPECT_EQ(found->requested_by, "tester");
  EXPECT_EQ(found->tenant, std::nullopt);
  EXPECT_EQ(found->totals, (std::map<TargetStatus, std::int64_t>{{TargetStatus::kUnknown, 1}}));
}

TEST_F(ActionStoreTest, AKeyIsTakenOncePerTenant) {
  const NewAction first = ActionFor({"a"}, "k", TenantId("acme"));
  EXPECT_TRUE(Must(store_.Create(first)));
  EXPECT_FALSE(Must(store_.Create(ActionFor({"b"}, "k", TenantId("acme")))));
  EXPECT_TRUE(Must(store_.Create(ActionFor({"b"}, "k", TenantId("rival")))));
  EXPECT_TRUE(Must(store_.Create(ActionFor({"b"}, "k"))));
  EXPECT_FALSE(Must(store_.Create(ActionFor({"b"}, "k")))) << "operators share theirs";
  EXPECT_EQ(One("SELECT count(*) FROM actions"), "3") << "a taken key stores nothing";

  const auto stored = Must(store_.FindRequest(first.request));
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->request_hash, "hash");
  EXPECT_EQ(stored->action_id, first.action.id);
  EXPECT_EQ(stored->answer, std::nullopt);
  EXPECT_FALSE(stored->abandoned);
  EXPECT_FALSE(Must(store_.FindRequest({TenantId("acme"), "other"})));
}

TEST_F(ActionStoreTest, OneOfManyAtOnceWins) {
  std::atomic<int> won = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 25; ++round) {
        if (Must(store_.Create(ActionFor({"a"}, "k-" + std::to_string(round))))) ++won;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(won, 25);
  EXPECT_EQ(One("SELECT count(*) FROM action_targets"), "25");
}

TEST_F(ActionStoreTest, SeveralGoInOneStatementAsEachWouldAlone) {
  AddConnection("a", "online", "acme");
  AddConnection("off", "offline", "acme");
  const NewAction first = ActionFor({"off", "a"}, "k", TenantId("acme"));
  const NewAction twin = ActionFor({"a"}, "k", TenantId("acme"));
  const NewAction rivals = ActionFor({"a"}, "k", TenantId("rival"));
  const NewAction operators = ActionFor({"a"}, "k");
  Must(store_.Create(ActionFor({"a"}, "taken")));
  const NewAction late = ActionFor({"a"}, "taken");
  auto session = Must(pool_.Acquire(std::chrono::steady_clock::now() + std::chrono::seconds(5)));
  const auto created =
      Must(CreateTogether(*session, std::vector{&rivals, &first, &late, &twin, &operators}));
  ASSERT_EQ(created.size(), 5U);
  EXPECT_EQ(Must(created[0])->targets.at(0).status, TargetStatus::kUnknown);
  const auto accepted = Must(created[1]);
  ASSERT_TRUE(accepted) << "the first of two with one key";
  ASSERT_EQ(accepted->targets.size(), 2U);
  EXPECT_EQ(accepted->targets.at(0).client_id, ClientId("a")) << "by client id";
  EXPECT_EQ(accepted->targets.at(0).status, TargetStatus::kAccepted);
  EXPECT_EQ(accepted->targets.at(1).status, TargetStatus::kOffline);
  EXPECT_FALSE(Must(created[2])) << "its key is taken";
  EXPECT_FALSE(Must(created[3])) << "its key was taken by a neighbour";
  EXPECT_EQ(Must(created[4])->targets.at(0).status, TargetStatus::kAccepted);
  EXPECT_EQ(One("SELECT count(*) FROM actions"), "4");
  EXPECT_EQ(Must(store_.Get(rivals.action.id, TenantId("rival")))->payload, rivals.action.payload);
  EXPECT_EQ(Must(store_.FindRequest(first.request))->action_id, first.action.id);
}

TEST_F(ActionStoreTest, SeveralFinishInOneStatementAsEachWouldAlone) {
  AddConnection("a", "online");
  AddConnection("b", "online");
  const NewAction one = ActionFor({"a", "b"}, "one");
  const NewAction other = ActionFor({"a"}, "other");
  const NewAction lost = ActionFor({"a"}, "lost");
  for (const NewAction* each : {&one, &other, &lost}) Must(store_.Create(*each));
  ASSERT_TRUE(store_.Finish(
      Finished(lost, {{ClientId("a"), TargetEvent::kUndeliverable, "not_acknowledged"}})));
  Run("UPDATE action_targets SET status = 'succeeded' WHERE client_id = 'b'");
  const auto first =
      Finished(one, {{ClientId("a"), TargetEvent::kPublished, ""},
                     {ClientId("b"), TargetEvent::kUndeliverable, "not_acknowledged"}});
  const auto second = Finished(lost, {{ClientId("a"), TargetEvent::kPublished, ""}});
  const auto third =
      Finished(other, {{ClientId("a"), TargetEvent::kUndeliverable, "refused_by_broker"}});
  auto session = Must(pool_.Acquire(std::chrono::steady_clock::now() + std::chrono::seconds(5)));
  const auto told = Must(FinishTogether(*session, std::vector{&first, &second, &third}));
  ASSERT_EQ(told.size(), 3U);
  EXPECT_TRUE(told[0]);
  ASSERT_FALSE(told[1]) << "it was finished before";
  EXPECT_EQ(told[1].error().code, base::ErrorCode::kConflict);
  EXPECT_TRUE(told[2]);
  EXPECT_EQ(StatusOf(one, "a"), "published");
  EXPECT_EQ(StatusOf(one, "b"), "succeeded") << "what the device said stays";
  EXPECT_EQ(StatusOf(lost, "a"), "undeliverable not_acknowledged");
  EXPECT_EQ(StatusOf(other, "a"), "undeliverable refused_by_broker");
  EXPECT_EQ(Must(store_.FindRequest(other.request))->answer, third.answer);
}

TEST_F(ActionStoreTest, OneThatIsRefusedTakesTheStatementWithItAndLeavesNothing) {
  NewAction poison = ActionFor({"a"}, "poison");
  poison.action.payload = "{no JSON";
  const NewAction good = ActionFor({"a"}, "good");
  auto session = Must(pool_.Acquire(std::chrono::steady_clock::now() + std::chrono::seconds(5)));
  const auto created = CreateTogether(*session, std::vector<const NewAction*>{&good, &poison});
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().code, base::ErrorCode::kInvalidArgument);
  EXPECT_EQ(One("SELECT count(*) FROM idempotency_keys"), "0");
}

TEST_F(ActionStoreTest, WhoIsRefusedDoesNotFailItsNeighbours) {
  constexpr int kThreads = 8;
  constexpr int kRounds = 25;
  std::atomic<int> refused = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int round = 0; round < kRounds; ++round) {
        NewAction action = ActionFor({"a"}, std::to_string(thread) + "-" + std::to_string(round));
        if (thread == 0) action.action.payload = "{no JSON";
        const auto created = store_.Create(action);
        if (thread == 0) {
          if (!created && created.error().code == base::ErrorCode::kInvalidArgument) ++refused;
        } else {
          EXPECT_TRUE(Must(created));
          EXPECT_TRUE(store_.Finish(Finished(action, {})));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(refused, kRounds);
  EXPECT_EQ(One("SELECT count(*) FROM idempotency_keys WHERE answer IS NOT NULL"),
            std::to_string((kThreads - 1) * kRounds));
}

// Planned while the tables are new and empty, as in a new installation: such plans are kept. In a
// schema of its own, since other sessions' scans are counted late.
TEST_F(ActionStoreTest, NoTableIsReadWhole) {
  Run("DROP SCHEMA IF EXISTS fresh CASCADE; CREATE SCHEMA fresh");
  for (const std::string table : {"connections", "actions", "action_targets", "idempotency_keys",
                                  "queued_targets", "mailboxes", "dispatchers", "audit"}) {
    Run("CREATE TABLE fresh." + table + " (LIKE " + table + " INCLUDING ALL)");
  }
  AddConnection("a", "online");
  AddConnection("off", "offline");
  Run("INSERT INTO fresh.connections SELECT * FROM connections");
  Config config = StoreConfig();
  config.pool_size = 1;
  config.session_setup = std::string(kByKeysOnly) + "; SET search_path = fresh";
  Pool by_keys(config, "test");
  ActionStore store(by_keys, std::chrono::seconds(5));
  for (int i = 0; i < 10; ++i) {
    const NewAction action = ActionFor({"a"}, std::to_string(i));
    ASSERT_TRUE(Must(store.Create(action)));
    ASSERT_TRUE(store.Finish(Finished(action, {{ClientId("a"), TargetEvent::kPublished, ""}})));
    const NewAction waiting = Queueing(ActionFor({"off"}, "waiting " + std::to_string(i)));
    ASSERT_TRUE(Must(store.Create(waiting)));
    ASSERT_TRUE(store.Finish(Finished(waiting, {})));
  }
  EXPECT_EQ(One("SELECT count(*) FROM fresh.action_targets WHERE status = 'published'"), "10");
  auto session = Must(by_keys.Acquire(std::chrono::steady_clock::now() + std::chrono::seconds(5)));
  Must(session->ExecuteScript("SELECT pg_stat_force_next_flush()"));
  const Rows scans = Must(session->ExecuteScript(
      "SELECT sum(seq_scan), sum(idx_scan) FROM pg_stat_user_tables WHERE schemaname = 'fresh' AND "
      "relname <> 'connections'"));
  EXPECT_EQ(scans.GetInt64(0, 0), 0);
  EXPECT_GT(scans.GetInt64(0, 1), 0) << "the scans are counted";
  Run("DROP SCHEMA fresh CASCADE");
}

TEST_F(ActionStoreTest, FinishStoresOutcomesAndAnswer) {
  AddConnection("a", "online");
  AddConnection("b", "online");
  const NewAction action = ActionFor({"a", "b"});
  Must(store_.Create(action));
  ASSERT_TRUE(store_.Finish(
      Finished(action, {{ClientId("a"), TargetEvent::kPublished, ""},
                        {ClientId("b"), TargetEvent::kUndeliverable, "not_acknowledged"}})));
  EXPECT_EQ(StatusOf(action, "a"), "published");
  EXPECT_EQ(StatusOf(action, "b"), "undeliverable not_acknowledged");
  EXPECT_EQ(Must(store_.FindRequest(action.request))->answer, "{\"answer\":1}");
  const base::Status again =
      store_.Finish(Finished(action, {{ClientId("b"), TargetEvent::kPublished, ""}}));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, base::ErrorCode::kConflict);
  EXPECT_EQ(StatusOf(action, "b"), "undeliverable not_acknowledged");
}

TEST_F(ActionStoreTest, FinishNeverOverwritesAnAnswerOfTheDevice) {
  AddConnection("a", "online");
  AddConnection("b", "online");
  const NewAction action = ActionFor({"a", "b"});
  Must(store_.Create(action));
  Run("UPDATE action_targets SET status = 'succeeded' WHERE client_id = 'a'");
  Run("UPDATE action_targets SET status = 'running' WHERE client_id = 'b'");
  ASSERT_TRUE(store_.Finish(
      Finished(action, {{ClientId("a"), TargetEvent::kPublished, ""},
                        {ClientId("b"), TargetEvent::kUndeliverable, "not_acknowledged"}})));
  EXPECT_EQ(StatusOf(action, "a"), "succeeded");
  EXPECT_EQ(StatusOf(action, "b"), "running");
}

TEST_F(ActionStoreTest, AnAbandonedRequestIsFinishedByAnybody) {
  AddConnection("a", "online");
  AddConnection("b", "online");
  const NewAction action = ActionFor({"a", "b", "c"});
  Must(store_.Create(action));
  EXPECT_FALSE(Must(store_.FinishOldestAbandoned({}))) << "its lease is not over";
  EndLease();
  EXPECT_TRUE(Must(store_.FindRequest(action.request))->abandoned);
  EXPECT_FALSE(Must(store_.FinishAbandoned({std::nullopt, "another"})));
  EXPECT_FALSE(Must(store_.FinishOldestAbandoned(std::chrono::minutes(1))))
      << "not for long enough";
  Run("UPDATE action_targets SET status = 'succeeded' WHERE client_id = 'b'");
  EXPECT_TRUE(Must(store_.FinishAbandoned(action.request)));
  EXPECT_FALSE(Must(store_.FinishOldestAbandoned({})));
  EXPECT_EQ(StatusOf(action, "a"), "queued dispatcher_ended");
  EXPECT_EQ(One("SELECT client_id || ' ' || tries FROM queued_targets"), "a 1");
  EXPECT_EQ(One("SELECT wake_at <= now() FROM mailboxes WHERE client_id = 'a'"), "t");
  EXPECT_EQ(StatusOf(action, "b"), "succeeded");
  EXPECT_EQ(StatusOf(action, "c"), "unknown no_such_device");
  const auto stored = Must(store_.FindRequest(action.request));
  EXPECT_FALSE(stored->abandoned);
  ASSERT_TRUE(stored->answer);
  EXPECT_EQ(*stored->answer,
            action::WriteAction(*Must(store_.Get(action.action.id, std::nullopt))));
  EXPECT_FALSE(store_.Finish(Finished(action, {{ClientId("a"), TargetEvent::kPublished, ""}})))
      << "who lost the lease does not write any more";
  EXPECT_EQ(StatusOf(action, "a"), "queued dispatcher_ended");
}

TEST_F(ActionStoreTest, KeysAreFreeAgainAfterADay) {
  const NewAction action = ActionFor({"a"});
  Must(store_.Create(action));
  Must(store_.Create(ActionFor({"a"}, "young")));
  ASSERT_TRUE(store_.Finish(Finished(action, {})));
  Run("UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = 'key-1'");
  EXPECT_FALSE(Must(store_.FindRequest(action.request))) << "whether it was swept or not";
  EXPECT_TRUE(Must(store_.Create(ActionFor({"a"}))));
  EXPECT_EQ(Must(store_.ForgetOldKeys(10)), 0);
  Run("UPDATE idempotency_keys SET created_at = now() - interval '25 hours', answer = '{}' WHERE "
      "key = 'key-1'");
  EXPECT_EQ(Must(store_.ForgetOldKeys(10)), 1);
  EXPECT_EQ(One("SELECT string_agg(key, ',') FROM idempotency_keys"), "young");
}

TEST_F(ActionStoreTest, IsSeenByItsTenantAndOperators) {
  const NewAction action = ActionFor({"a"}, "k", TenantId("acme"));
  Must(store_.Create(action));
  EXPECT_TRUE(Must(store_.Get(action.action.id, TenantId("acme"))));
  EXPECT_TRUE(Must(store_.Get(action.action.id, std::nullopt)));
  EXPECT_FALSE(Must(store_.Get(action.action.id, TenantId("rival"))));
  EXPECT_FALSE(Must(store_.Get(action::NewActionId({}), std::nullopt)));
  EXPECT_FALSE(Must(
      store_.ListTargets({action.action.id, std::nullopt, ClientId(), 10}, TenantId("rival"))));
  EXPECT_FALSE(Must(store_.GetTarget(action.action.id, ClientId("a"), TenantId("rival"))));
  const NewAction operators = ActionFor({"a"}, "k2");
  Must(store_.Create(operators));
  EXPECT_FALSE(Must(store_.Get(operators.action.id, TenantId("acme"))));
}

TEST_F(ActionStoreTest, ManyTargetsComeByPages) {
  std::vector<std::string> ids;
  for (int i = 0; i < 1500; ++i) ids.push_back("d-" + std::to_string(i));
  const NewAction action = ActionFor(ids);
  Must(store_.Create(action));
  const auto found = Must(store_.Get(action.action.id, std::nullopt));
  EXPECT_FALSE(found->targets);
  EXPECT_EQ(found->totals.at(TargetStatus::kUnknown), 1500);
  std::vector<std::string> paged;
  ClientId after;
  while (true) {
    const auto page =
        Must(store_.ListTargets({action.action.id, std::nullopt, after, 700}, std::nullopt));
    if (page->empty()) break;
    for (const action::Target& target : *page) paged.push_back(target.client_id.str());
    after = page->back().client_id;
  }
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(paged, ids);
  EXPECT_TRUE(Must(store_.ListTargets({action.action.id, TargetStatus::kPublished, ClientId(), 10},
                                      std::nullopt))
                  ->empty());
}

TEST_F(ActionStoreTest, LargeResultsAreLeftOutOfLists) {
  const NewAction action = ActionFor({"a", "b", "c"});
  Must(store_.Create(action));
  Run("UPDATE action_targets SET status = 'succeeded', result_received_at = now(),"
      " result_content = to_json(repeat('x', 600000)), result_metadata = '{\"a\":\"b\"}'");
  const auto found = Must(store_.Get(action.action.id, std::nullopt));
  ASSERT_TRUE(found->targets);
  EXPECT_TRUE(found->targets->at(0).result->content);
  EXPECT_EQ(found->targets->at(0).result->metadata, "{\"a\":\"b\"}");
  EXPECT_FALSE(found->targets->at(1).result->content);
  EXPECT_EQ(found->targets->at(1).result->content_bytes, 600'011U);
  const auto one = Must(store_.GetTarget(action.action.id, ClientId("c"), std::nullopt));
  ASSERT_TRUE(one);
  EXPECT_TRUE(one->result->content);
  EXPECT_FALSE(Must(store_.GetTarget(action.action.id, ClientId("bb"), std::nullopt)));
}

TEST_F(ActionStoreTest, ADeadlineIsAsGivenOrSoLongAfterAcceptance) {
  NewAction given = ActionFor({"a"}, "given");
  given.deadline = base::SystemClock().Now() + std::chrono::hours(5);
  NewAction counted = ActionFor({"a"}, "counted");
  counted.ttl = std::chrono::seconds(90);
  const AcceptedAction first = *Must(store_.Create(given));
  const AcceptedAction second = *Must(store_.Create(counted));
  EXPECT_EQ(first.deadline, *given.deadline);
  EXPECT_EQ(second.deadline, second.created_at + std::chrono::seconds(90));
  EXPECT_EQ(Must(store_.Get(given.action.id, std::nullopt))->deadline, first.deadline);
  EXPECT_EQ(Must(store_.Get(counted.action.id, std::nullopt))->deadline, second.deadline);
}

TEST_F(ActionStoreTest, ExpiresWhatIsOpenAfterTheDeadlineAndNothingElse) {
  for (const char* id : {"sent", "waiting", "done", "young"}) AddConnection(id, "online");
  const NewAction old = ActionFor({"sent", "waiting", "done", "never"}, "old");
  const NewAction young = ActionFor({"young"}, "young");
  for (const NewAction* each : {&old, &young}) Must(store_.Create(*each));
  ASSERT_TRUE(store_.Finish(Finished(old, {{ClientId("sent"), TargetEvent::kPublished, ""},
                                           {ClientId("done"), TargetEvent::kPublished, ""}})));
  Run("UPDATE action_targets SET status = 'succeeded' WHERE client_id = 'done'");
  EXPECT_EQ(Must(store_.ExpireDue()).targets, 0);
  Run("UPDATE actions SET deadline = now() - interval '1 second' WHERE action_id = '" +
      old.action.id.str() + "'");
  const Expired expired = Must(store_.ExpireDue());
  EXPECT_EQ(expired.targets, 2);
  EXPECT_FALSE(expired.more);
  EXPECT_EQ(StatusOf(old, "sent"), "expired no_answer");
  EXPECT_EQ(StatusOf(old, "waiting"), "expired not_acknowledged") << "it may have been sent";
  EXPECT_EQ(StatusOf(old, "done"), "succeeded");
  EXPECT_EQ(StatusOf(old, "never"), "unknown no_such_device");
  EXPECT_EQ(StatusOf(young, "young"), "accepted");
  EXPECT_EQ(One("SELECT string_agg(closed::text, ' ' ORDER BY deadline) FROM actions"),
            "true false");
}

TEST_F(ActionStoreTest, ExpiresALargeActionInPieces) {
  const NewAction large = ActionFor({"a"});
  Must(store_.Create(large));
  Run("INSERT INTO action_targets (action_id, client_id, status) SELECT action_id, 'd-' || n, "
      "'published' FROM actions, generate_series(1, 25000) AS n");
  Run("UPDATE actions SET deadline = now() - interval '1 second'");
  const Expired first = Must(store_.ExpireDue());
  EXPECT_TRUE(first.more);
  EXPECT_EQ(One("SELECT closed FROM actions"), "f") << "some are still open";
  const Expired second = Must(store_.ExpireDue());
  EXPECT_EQ(first.targets + second.targets, 25'000);
  EXPECT_FALSE(second.more);
  EXPECT_EQ(One("SELECT closed FROM actions"), "t");
  EXPECT_EQ(One("SELECT count(*) FROM action_targets WHERE status = 'expired'"), "25000");
}

TEST_F(ActionStoreTest, ATargetThatSomebodyHoldsExpiresLaterAndHoldsNobodyUp) {
  for (const char* id : {"held", "free"}) AddConnection(id, "online");
  Must(store_.Create(ActionFor({"held"}, "one")));
  Must(store_.Create(ActionFor({"free"}, "other")));
  Run("UPDATE actions SET deadline = now() - interval '1 second'");
  {
    auto session = Must(pool_.Acquire(std::chrono::steady_clock::now() + std::chrono::seconds(5)));
    auto transaction = Must(Transaction::Begin(*session));
    Must(transaction.Execute("SELECT FROM action_targets WHERE client_id = 'held' FOR UPDATE", {}));
    const Expired first = Must(store_.ExpireDue());
    EXPECT_EQ(first.targets, 1);
    EXPECT_FALSE(first.more) << "nothing can be done about it at once";
    EXPECT_EQ(One("SELECT status FROM action_targets WHERE client_id = 'free'"), "expired");
    EXPECT_EQ(One("SELECT count(*) FROM actions WHERE closed"), "1");
  }
  EXPECT_EQ(Must(store_.ExpireDue()).targets, 1);
  EXPECT_EQ(One("SELECT count(*) FROM actions WHERE closed"), "2");
}

TEST_F(ActionStoreTest, CancelEndsWhatIsOpen) {
  for (const char* id : {"sent", "waiting", "done", "queued"}) AddConnection(id, "online", "acme");
  const NewAction action =
      ActionFor({"sent", "waiting", "done", "queued", "never"}, "k", TenantId("acme"));
  Must(store_.Create(action));
  Run("UPDATE action_targets SET status = 'running', progress = 40 WHERE client_id = 'sent'");
  Run("UPDATE action_targets SET status = 'failed', reason = 'hot' WHERE client_id = 'done'");
  Run("UPDATE action_targets SET status = 'queued' WHERE client_id = 'queued'");
  EXPECT_FALSE(Must(store_.Cancel(action.action.id, {.tenant = TenantId("rival")})));
  EXPECT_FALSE(Must(store_.Cancel(action::NewActionId({}), {})));
  EXPECT_EQ(StatusOf(action, "waiting"), "accepted") << "nobody else may";
  const auto cancelled = Must(store_.Cancel(action.action.id, {.tenant = TenantId("acme")}));
  ASSERT_TRUE(cancelled);
  EXPECT_EQ(cancelled->totals, (std::map<TargetStatus, std::int64_t>{{TargetStatus::kCancelled, 3},
                                                                     {TargetStatus::kFailed, 1},
                                                                     {TargetStatus::kUnknown, 1}}));
  EXPECT_EQ(StatusOf(action, "sent"), "cancelled after_sending");
  EXPECT_EQ(StatusOf(action, "waiting"), "cancelled while_sending");
  EXPECT_EQ(StatusOf(action, "queued"), "cancelled before_sending");
  EXPECT_EQ(StatusOf(action, "done"), "failed hot");
  ASSERT_TRUE(
      store_.Finish(Finished(action, {{ClientId("waiting"), TargetEvent::kPublished, ""}})));
  EXPECT_EQ(StatusOf(action, "waiting"), "cancelled while_sending") << "the PUBACK comes too late";
}

}  // namespace
}  // namespace heliograph::postgres
