// What waits in a real database, published to a scripted broker: order, waking, outcomes, leases.
#include "dispatch/queue_worker.h"

#include <atomic>
#include <mutex>
#include <thread>

#include "dispatch/dispatcher.h"
#include "json/json.h"
#include "store_fixture.h"
#include "unit/dispatch/scripted_sender.h"

namespace heliograph::dispatch {
namespace {

using device::ClientId;
using postgres::ActionFor;
using postgres::Must;
using postgres::Queueing;
using std::chrono::milliseconds;
using std::chrono::seconds;

class QueueWorkerTest : public postgres::StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    Must(lease_.Claim());
  }

  // Ends with the test.
  void Start() {
    worker_.emplace(QueueWorkerParts{queue_, rollouts_, publisher_, lease_,
                                     [this](const std::string& client_id) {
                                       const std::lock_guard lock(mutex_);
                                       closed_.push_back(client_id);
                                       return broker_is_there_
                                                  ? base::Status()
                                                  : base::MakeError(base::ErrorCode::kUnavailable,
                                                                    "the broker is away");
                                     },
                                     [this](const auto& action, const auto& client_ids) {
                                       return Forbidden(action, client_ids);
                                     }},
                    postgres::StoreConfig(), clock_, metrics_);
  }

  base::Result<std::vector<ClientId>> Forbidden(const postgres::QueuedAction& action,
                                                std::span<const ClientId> client_ids) {
    const std::lock_guard lock(mutex_);
    questions_.push_back(action.requested_by + " " + action.directive.str());
    if (!authoriser_is_there_) {
      return base::MakeError(base::ErrorCode::kUnavailable, "nobody can say");
    }
    std::vector<ClientId> forbidden;
    for (const ClientId& id : client_ids) {
      if (id == forbidden_) forbidden.push_back(id);
    }
    return forbidden;
  }

  void SetState(const std::string& client_id, const std::string& state) {
    postgres::StoreTest::Run("UPDATE connections SET state = '" + state + "' WHERE client_id = '" +
                             client_id + "'");
  }
  // Those that somebody holds.
  std::vector<ClientId> Wake(const std::string& client_id) {
    auto session = Must(pool_.Acquire(clock_.SteadyNow() + seconds(5)));
    return Must(postgres::WakeMailboxes(*session, std::vector{ClientId(client_id)}));
  }
  action::ActionId Queue(const std::string& client_id, const std::string& key,
                         seconds ttl = seconds(600)) {
    postgres::NewAction action = Queueing(ActionFor({client_id}, key));
    action.ttl = ttl;
    Must(store_.Create(action));
    return action.action.id;
  }
  std::string StatusOf(const action::ActionId& id) {
    return One(
        "SELECT string_agg(status || coalesce(' ' || reason, ''), ',' ORDER BY client_id) "
        "FROM action_targets WHERE action_id = '" +
        id.str() + "'");
  }
  bool Eventually(const std::function<bool()>& condition) {
    const auto deadline = clock_.SteadyNow() + seconds(15);
    while (!condition()) {
      if (clock_.SteadyNow() > deadline) return false;
      std::this_thread::sleep_for(milliseconds(5));
    }
    return true;
  }
  // Client id -> the ids of what was sent to it, in order.
  std::map<std::string, std::vector<std::string>> Sent() {
    constexpr std::size_t kBefore = std::string_view("heliograph/").size();
    constexpr std::size_t kAfter = std::string_view("/data/in").size();
    std::map<std::string, std::vector<std::string>> ids;
    for (const mqtt::OutgoingMessage& message : sender_.Sent()) {
      ids[message.topic.substr(kBefore, message.topic.size() - kBefore - kAfter)].push_back(
          (*json::Parse(message.payload))["message_id"]);
    }
    return ids;
  }

  const base::SystemClock clock_;
  metrics::Registry metrics_;
  ScriptedSender sender_;
  Publisher publisher_{sender_,
                       *device::TopicGrammar::Create("heliograph"),
                       {milliseconds(300), 10'000},
                       clock_,
                       metrics_};
  postgres::DispatchQueue queue_{pool_, seconds(5)};
  postgres::RolloutStore rollouts_{pool_, seconds(5)};
  base::Health health_;
  Lease lease_{queue_, "@test", health_, metrics_};
  std::mutex mutex_;
  std::vector<std::string> closed_;     // guarded by mutex_
  std::vector<std::string> questions_;  // guarded by mutex_
  ClientId forbidden_;                  // guarded by mutex_
  bool authoriser_is_there_ = true;     // guarded by mutex_
  std::atomic<bool> broker_is_there_ = true;
  std::atomic<int> tries_ = 0;
  std::optional<QueueWorker> worker_;
};

TEST_F(QueueWorkerTest, WhoHasJustComeOnlineDoesNotWaitForALargeAction) {
  postgres::StoreTest::Run(
      "INSERT INTO mailboxes (client_id, wake_at) SELECT 'd-' || n, now() - interval '1 minute' "
      "FROM generate_series(1, 5000) AS n; "
      "INSERT INTO mailboxes (client_id, wake_at) VALUES ('woken', now())");
  const postgres::Claimed claimed = Must(queue_.Claim(lease_.holder(), 50));
  EXPECT_LE(claimed.mail.size(), 50U);
  EXPECT_GE(claimed.mail.size(), 45U) << "of those due at the same time some may be both";
  EXPECT_EQ(std::count_if(claimed.mail.begin(), claimed.mail.end(),
                          [](const auto& mail) { return mail.client_id.view() == "woken"; }),
            1);
}

TEST_F(QueueWorkerTest, PublishesInOrderWhenTheDeviceComesOnlineAndNotBefore) {
  AddConnection("a", "offline");
  AddConnection("b", "offline");
  std::vector<std::string> ids;
  for (int i = 0; i < 20; ++i) ids.push_back(Queue("a", std::to_string(i)).str());
  const auto other = Queue("b", "b");
  Start();
  std::this_thread::sleep_for(milliseconds(1500));
  EXPECT_TRUE(sender_.Sent().empty());
  SetState("a", "online");
  Wake("a");
  ASSERT_TRUE(Eventually([&] { return One("SELECT count(*) FROM queued_targets") == "1"; }));
  EXPECT_EQ(Sent()["a"], ids);
  EXPECT_TRUE(Sent()["b"].empty());
  EXPECT_EQ(StatusOf(other), "queued not_online");
  EXPECT_EQ(One("SELECT count(*) FROM action_targets WHERE status = 'published'"), "20");
  EXPECT_TRUE(Eventually([&] { return One("SELECT count(*) FROM mailboxes") == "1"; }))
      << "an empty mailbox is thrown away";
}

TEST_F(QueueWorkerTest, WhoIsNotToldIsFoundByTheSweep) {
  AddConnection("a", "offline");
  const auto id = Queue("a", "k");
  SetState("a", "online");  // and nobody says so
  Start();
  EXPECT_TRUE(Eventually([&] { return StatusOf(id) == "published"; }));
}

TEST_F(QueueWorkerTest, ManyDevicesAtOnceEachInItsOwnOrder) {
  constexpr int kDevices = 700;
  std::vector<std::string> names;
  for (int i = 0; i < kDevices; ++i) names.push_back("d-" + std::to_string(i));
  for (const std::string& name : names) AddConnection(name, "offline");
  std::vector<std::string> ids;
  for (const char* key : {"1", "2", "3"}) {
    const postgres::NewAction action = Queueing(ActionFor(names, key));
    Must(store_.Create(action));
    ids.push_back(action.action.id.str());
  }
  postgres::StoreTest::Run("UPDATE connections SET state = 'online'");
  postgres::StoreTest::Run("UPDATE mailboxes SET wake_at = now()");
  Start();
  ASSERT_TRUE(Eventually([&] { return One("SELECT count(*) FROM queued_targets") == "0"; }));
  auto sent = Sent();
  for (const std::string& name : names) EXPECT_EQ(sent[name], ids) << name;
}

TEST_F(QueueWorkerTest, WhatIsNotAcknowledgedIsPublishedAgainAndCounted) {
  AddConnection("a", "online");
  sender_.answer = [this](const auto&, const mqtt::PublishCallback& on_done) {
    if (++tries_ > 1) on_done(mqtt::PublishOutcome::kAcknowledged, 0);
  };
  const auto id = Queue("a", "k");
  postgres::StoreTest::Run("UPDATE action_targets SET status = 'queued'");
  postgres::StoreTest::Run(
      "INSERT INTO queued_targets (client_id, action_id) SELECT client_id, action_id FROM "
      "action_targets");
  postgres::StoreTest::Run("INSERT INTO mailboxes VALUES ('a', now())");
  Start();
  ASSERT_TRUE(Eventually([&] { return StatusOf(id) == "queued not_acknowledged"; }));
  ASSERT_TRUE(Eventually([&] { return StatusOf(id) == "published"; }));
  EXPECT_EQ(Sent()["a"], (std::vector{id.str(), id.str()}));
  EXPECT_EQ(metrics_
                .AddCounter("heliograph_dispatch_published_again_total",
                            "Of those, targets that may have been published before: with the "
                            "same message_id.")
                .Value(),
            1);
}

TEST_F(QueueWorkerTest, WhatIsRefusedEndsAndWhomNobodyKnowsIsTriedLater) {
  AddConnection("refused", "offline");
  AddConnection("unheard", "offline");
  sender_.answer = [](const mqtt::OutgoingMessage& message, const mqtt::PublishCallback& on_done) {
    on_done(message.topic.find("refused") == std::string::npos
                ? mqtt::PublishOutcome::kNoMatchingSubscribers
                : mqtt::PublishOutcome::kRefused,
            0);
  };
  const auto refused = Queue("refused", "1");
  const auto unheard = Queue("unheard", "2");
  postgres::StoreTest::Run("UPDATE connections SET state = 'online'");
  Start();
  EXPECT_TRUE(Eventually([&] { return StatusOf(refused) == "undeliverable refused_by_broker"; }));
  EXPECT_TRUE(Eventually([&] { return StatusOf(unheard) == "queued no_matching_subscribers"; }));
  EXPECT_EQ(One("SELECT sum(tries) FROM queued_targets"), "0") << "it was never delivered";
  EXPECT_EQ(One("SELECT wake_at BETWEEN now() AND now() + interval '31 seconds' FROM mailboxes "
                "WHERE client_id = 'unheard'"),
            "t");
}

TEST_F(QueueWorkerTest, WhatWaitedForLongIsAskedAboutAgain) {
  for (const char* id : {"a", "b", "young"}) AddConnection(id, "offline");
  const postgres::NewAction old = Queueing(ActionFor({"a", "b"}, "old"));
  Must(store_.Create(old));
  const auto young = Queue("young", "young");
  postgres::StoreTest::Run(
      "UPDATE actions SET created_at = now() - interval '2 minutes' WHERE action_id = '" +
      old.action.id.str() + "'");
  postgres::StoreTest::Run("UPDATE connections SET state = 'online'");
  forbidden_ = ClientId("b");
  authoriser_is_there_ = false;
  Start();
  ASSERT_TRUE(Eventually([&] { return StatusOf(young) == "published"; }));
  ASSERT_TRUE(Eventually([&] {
    const std::lock_guard lock(mutex_);
    return questions_.size() >= 2;
  })) << "it is asked again";
  EXPECT_EQ(StatusOf(old.action.id), "queued not_online,queued not_online")
      << "while nobody can say, nothing is published";
  {
    const std::lock_guard lock(mutex_);
    EXPECT_EQ(questions_[0], "tester solar.configure");
    authoriser_is_there_ = true;
  }
  ASSERT_TRUE(Eventually([&] {
    return StatusOf(old.action.id) == "published,unauthorised not_permitted";
  })) << StatusOf(old.action.id);
  EXPECT_TRUE(Sent()["b"].empty());
}

TEST_F(QueueWorkerTest, WhatHasEndedMeanwhileIsNotPublished) {
  AddConnection("a", "offline");
  const auto answered = Queue("a", "1");
  const auto late = Queue("a", "2");
  const auto good = Queue("a", "3");
  postgres::StoreTest::Run("UPDATE action_targets SET status = 'succeeded' WHERE action_id = '" +
                           answered.str() + "'");
  postgres::StoreTest::Run("UPDATE actions SET deadline = now() WHERE action_id = '" + late.str() +
                           "'");
  SetState("a", "online");
  Start();
  ASSERT_TRUE(Eventually([&] { return StatusOf(good) == "published"; }));
  EXPECT_EQ(Sent()["a"], std::vector{good.str()});
  EXPECT_EQ(StatusOf(answered), "succeeded not_online");
  EXPECT_EQ(StatusOf(late), "queued not_online") << "ended by whoever looks at deadlines";
}

TEST_F(QueueWorkerTest, TheWorkOfADeadProcessIsTakenOverAfterItsConnectionIsClosed) {
  AddConnection("a", "offline");
  const auto id = Queue("a", "k");
  SetState("a", "online");
  ASSERT_TRUE(queue_.Register("@dead", milliseconds(1)));
  postgres::StoreTest::Run("UPDATE mailboxes SET owner = '@dead'");
  postgres::NewAction unfinished = ActionFor({"a"}, "unfinished");
  unfinished.dispatcher = "@dead";
  Must(store_.Create(unfinished));
  broker_is_there_ = false;
  Start();
  ASSERT_TRUE(Eventually([&] {
    const std::lock_guard lock(mutex_);
    return !closed_.empty();
  }));
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_EQ(StatusOf(id), "queued not_online") << "while it may be connected, nothing is published";
  EXPECT_FALSE(Must(store_.FinishOldestAbandoned({})));
  EXPECT_FALSE(Must(queue_.Renew("@dead", seconds(5)))) << "it cannot come back";
  broker_is_there_ = true;
  postgres::StoreTest::Run(
      "UPDATE dispatchers SET lease_until = now() - interval '1 minute' WHERE lost");
  ASSERT_TRUE(Eventually([&] { return StatusOf(id) == "published"; }));
  EXPECT_EQ(One("SELECT count(*) FROM dispatchers"), "1");
  EXPECT_TRUE(Must(store_.FinishOldestAbandoned({})));
  ASSERT_TRUE(Eventually([&] { return StatusOf(unfinished.action.id) == "published"; }));
}

TEST_F(QueueWorkerTest, TwoWorkersKeepTheOrderBetweenThem) {
  constexpr int kDevices = 40;
  constexpr int kActions = 15;
  std::vector<std::string> names;
  for (int i = 0; i < kDevices; ++i) names.push_back("d-" + std::to_string(i));
  for (const std::string& name : names) AddConnection(name, "offline");
  std::vector<std::string> ids;
  for (int i = 0; i < kActions; ++i) {
    const postgres::NewAction action = Queueing(ActionFor(names, std::to_string(i)));
    Must(store_.Create(action));
    ids.push_back(action.action.id.str());
  }
  postgres::StoreTest::Run("UPDATE connections SET state = 'online'");
  postgres::StoreTest::Run("UPDATE mailboxes SET wake_at = now()");
  Lease other_lease(queue_, "@other", health_, metrics_);
  Must(other_lease.Claim());
  const QueueWorker other(
      {queue_, rollouts_, publisher_, other_lease, [](const auto&) { return base::Status(); },
       [this](const auto& action, const auto& client_ids) {
         return Forbidden(action, client_ids);
       }},
      postgres::StoreConfig(), clock_, metrics_);
  Start();
  ASSERT_TRUE(Eventually([&] { return One("SELECT count(*) FROM queued_targets") == "0"; }));
  auto sent = Sent();
  for (const std::string& name : names) EXPECT_EQ(sent[name], ids) << name;
}

// While devices answer, go offline and come back at any moment.
TEST_F(QueueWorkerTest, TwoWorkersKeepTheLimitOfARollout) {
  constexpr int kDevices = 80;
  constexpr int kMost = 10;
  postgres::NewSetAction action;
  action.action = Queueing(ActionFor({}, "rollout"));
  action.action.action.rollout.max_in_flight = kMost;
  for (int i = 0; i < kDevices; ++i) {
    action.set.client_ids.emplace_back("d-" + std::to_string(i));
    AddConnection("d-" + std::to_string(i), "online");
  }
  ASSERT_TRUE(std::holds_alternative<postgres::CreatedSet>(Must(sets_.Create(action))));
  Lease other_lease(queue_, "@other", health_, metrics_);
  Must(other_lease.Claim());
  const QueueWorker other(
      {queue_, rollouts_, publisher_, other_lease, [](const auto&) { return base::Status(); },
       [this](const auto& asked, const auto& client_ids) { return Forbidden(asked, client_ids); }},
      postgres::StoreConfig(), clock_, metrics_);
  Start();
  int turn = 0;
  ASSERT_TRUE(Eventually([&] {
    const std::string gone = "d-" + std::to_string(turn % kDevices);
    SetState(gone, turn % 3 == 0 ? "offline" : "online");
    Wake(gone);
    if (++turn % 50 == 0) postgres::StoreTest::Run("UPDATE connections SET state = 'online'");
    postgres::StoreTest::Run(
        "UPDATE action_targets SET status = 'succeeded', updated_at = now() "
        "WHERE status = 'published'");
    return One("SELECT count(*) FROM action_targets WHERE status <> 'succeeded'") == "0";
  }));
  EXPECT_EQ(One("SELECT max(in_flight) <= " + std::to_string(kMost) +
                " FROM (SELECT sum(CASE status WHEN 'published' THEN 1 WHEN 'succeeded' THEN -1 "
                "ELSE 0 END) OVER (ORDER BY xid, place) AS in_flight FROM target_log) AS walked"),
            "t");
  EXPECT_EQ(One("SELECT in_flight - (SELECT coalesce(sum(freed), 0) FROM rollout_changes) "
                "FROM rollouts"),
            "0")
      << "every permit came back";
  EXPECT_EQ(One("SELECT client_id FROM held_targets NATURAL FULL JOIN queued_targets"), "(no row)");
}

TEST_F(QueueWorkerTest, AMailboxIntoWhichSomethingComesWhileItIsEmptiedStays) {
  AddConnection("a", "offline");
  Queue("a", "1");
  postgres::StoreTest::Run("UPDATE mailboxes SET wake_at = now()");
  const postgres::Claimed claimed = Must(queue_.Claim(lease_.holder(), 10));
  ASSERT_EQ(claimed.mail.size(), 1U);
  EXPECT_FALSE(claimed.mail[0].reachable);
  EXPECT_TRUE(Must(queue_.Claim("@stranger", 10)).mail.empty()) << "who has no lease gets nothing";
  EXPECT_EQ(Must(queue_.Claim(lease_.holder(), 10)).mail.size(), 1U) << "its own, until it settles";
  Queue("a", "2");
  postgres::StoreTest::Run("DELETE FROM queued_targets");  // as if both had ended
  postgres::Settlement settlement;
  settlement.client_id = ClientId("a");
  settlement.arrivals = claimed.mail[0].arrivals;
  ASSERT_TRUE(queue_.Settle(lease_.holder(), std::vector{settlement}));
  EXPECT_EQ(One("SELECT owner IS NULL AND wake_at <= now() FROM mailboxes"), "t");
  settlement.arrivals = Must(queue_.Claim(lease_.holder(), 10)).mail.at(0).arrivals;
  ASSERT_TRUE(queue_.Settle(lease_.holder(), std::vector{settlement}));
  EXPECT_EQ(One("SELECT count(*) FROM mailboxes"), "0");
}

TEST_F(QueueWorkerTest, AWakeUpWhileSomebodyOwnsTheMailboxIsNotLost) {
  AddConnection("a", "offline");
  Queue("a", "1");
  postgres::StoreTest::Run("UPDATE mailboxes SET wake_at = now()");
  const postgres::Claimed claimed = Must(queue_.Claim(lease_.holder(), 10));
  SetState("a", "online");
  Wake("a");
  postgres::Settlement settlement;
  settlement.client_id = ClientId("a");
  settlement.arrivals = claimed.mail.at(0).arrivals;
  settlement.next = postgres::Settlement::Next::kWhenOnline;
  ASSERT_TRUE(queue_.Settle(lease_.holder(), std::vector{settlement}));
  EXPECT_EQ(One("SELECT owner IS NULL AND wake_at <= now() FROM mailboxes"), "t");
}

// The device came online while somebody looked at it, and had it off line.
TEST_F(QueueWorkerTest, AWakeUpWhileSomebodyClaimsTheMailboxIsToldToComeAgain) {
  AddConnection("a", "offline");
  Queue("a", "1");
  postgres::StoreTest::Run("UPDATE mailboxes SET wake_at = now()");
  auto claiming = Must(pool_.Acquire(clock_.SteadyNow() + seconds(5)));
  Must(claiming->ExecuteScript(
      "BEGIN; UPDATE mailboxes SET owner = 'x', wake_at = 'infinity' WHERE client_id = 'a'"));
  EXPECT_EQ(Wake("a"), std::vector{ClientId("a")});
  Must(claiming->ExecuteScript("COMMIT"));
  EXPECT_TRUE(Wake("a").empty());
  EXPECT_EQ(One("SELECT wake_at <= now() FROM mailboxes"), "t");
  EXPECT_TRUE(Wake("nobody").empty());
}

TEST_F(QueueWorkerTest, WhoMayNotWaitEndsWhenTheDeviceIsGone) {
  AddConnection("a", "online");
  AddConnection("b", "online");
  const postgres::NewAction action = ActionFor({"a", "b"}, "k");
  Must(store_.Create(action));
  ASSERT_TRUE(store_.Finish({action.request,
                             action.action.id,
                             {{ClientId("a"), action::TargetEvent::kQueued, "not_acknowledged"},
                              {ClientId("b"), action::TargetEvent::kQueued, "not_sent"}},
                             clock_.Now(),
                             "{}"}));
  EXPECT_EQ(
      One("SELECT string_agg(client_id || tries, ',' ORDER BY client_id) FROM queued_targets"),
      "a1,b0");
  postgres::StoreTest::Run("UPDATE connections SET state = 'offline'");
  Start();
  ASSERT_TRUE(Eventually([&] {
    return StatusOf(action.action.id) == "undeliverable not_acknowledged,undeliverable not_online";
  })) << StatusOf(action.action.id);
  EXPECT_TRUE(sender_.Sent().empty());
}

TEST_F(QueueWorkerTest, WhatIsRefusedByTheDatabaseIsNotPublishedAgainAndAgain) {
  AddConnection("a", "offline");
  Queue("a", "k");
  SetState("a", "online");
  postgres::StoreTest::Run(
      "CREATE TRIGGER refuse BEFORE DELETE ON queued_targets FOR EACH ROW EXECUTE FUNCTION "
      "refuse_change()");
  Wake("a");
  Start();
  EXPECT_TRUE(Eventually([&] { return !sender_.Sent().empty(); }));
  std::this_thread::sleep_for(milliseconds(2500));
  const std::size_t sent = sender_.Sent().size();
  worker_.reset();
  postgres::StoreTest::Run("DROP TRIGGER refuse ON queued_targets");
  EXPECT_EQ(sent, 1U);
}

TEST_F(QueueWorkerTest, WhatWasAnsweredAndStillStandsInTheQueueIsSweptAway) {
  AddConnection("a", "offline");
  Queue("a", "k");
  postgres::StoreTest::Run("UPDATE action_targets SET status = 'succeeded'");
  Start();
  EXPECT_TRUE(Eventually([&] { return One("SELECT count(*) FROM mailboxes") == "0"; }));
  EXPECT_EQ(One("SELECT count(*) FROM queued_targets"), "0");
}

TEST_F(QueueWorkerTest, ALeaseIsGivenBackAtTheEndAndItsNameNotUsedAgain) {
  std::string first;
  {
    base::Health health;
    Lease lease(queue_, "@short", health, metrics_);
    EXPECT_EQ(lease.holder(), "");
    first = Must(lease.Claim());
    EXPECT_EQ(Must(lease.Claim()), first) << "renewed, as long as nobody took it";
    EXPECT_EQ(lease.holder(), first);
    std::atomic<int> told = 0;
    lease.OnLost([&] { ++told; });
    std::this_thread::sleep_for(seconds(6));
    EXPECT_EQ(lease.holder(), first) << "it renews itself";
    EXPECT_TRUE(health.ready());
    EXPECT_EQ(told, 0);
    postgres::StoreTest::Run("UPDATE dispatchers SET lost = true");
    EXPECT_TRUE(Eventually([&] { return told > 0; }));
    EXPECT_EQ(lease.holder(), "");
    EXPECT_FALSE(health.ready());
    lease.OnLost({});
    EXPECT_NE(Must(lease.Claim()), first);
  }
  EXPECT_EQ(One("SELECT count(*) FROM dispatchers WHERE client_id LIKE '@short%' AND NOT lost"),
            "0");
}

}  // namespace
}  // namespace heliograph::dispatch
