#include "dispatch/dispatcher.h"

#include <atomic>
#include <future>
#include <thread>

#include "dispatch/housekeeper.h"
#include "json/json.h"
#include "store_fixture.h"
#include "unit/dispatch/scripted_sender.h"

namespace heliograph::dispatch {
namespace {

using postgres::Must;
using std::chrono::milliseconds;
using std::chrono::seconds;

class DispatcherTest : public postgres::StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    AddConnection("a", "online", "acme");
    AddConnection("b", "online", "acme");
    AddConnection("off", "offline", "acme");
    Must(lease_.Claim());
  }

  static Submission For(std::vector<std::string> ids, const std::string& key,
                        const std::string& hash = "hash") {
    Submission submission;
    submission.key = {device::TenantId("acme"), key};
    submission.request_hash = hash;
    submission.origin.caller = "tester";
    for (std::string& id : ids) submission.request.client_ids.emplace_back(std::move(id));
    submission.request.directive = action::Directive("d");
    submission.request.payload = "1";
    return submission;
  }
  static std::string StatusIn(const Answer& answer, std::size_t target) {
    return (*json::Parse(answer.body))["targets"][target]["status"];
  }
  std::string StatusOf(const std::string& client_id) {
    return One(
        "SELECT status || coalesce(' ' || reason, '') FROM action_targets WHERE client_id = '" +
        client_id + "'");
  }

  const base::SystemClock clock_;
  metrics::Registry metrics_;
  ScriptedSender sender_;
  const ActionsConfig config_{seconds(60), milliseconds(300), 8};
  Publisher publisher_{sender_,
                       *device::TopicGrammar::Create("heliograph"),
                       {config_.publish_timeout, 10'000},
                       clock_,
                       metrics_};
  UnsavedOutcomes unsaved_{store_, metrics_};
  postgres::DispatchQueue queue_{pool_, seconds(5)};
  postgres::DeadLetterStore letters_{pool_, seconds(5)};
  postgres::TargetLog log_{pool_, seconds(5)};
  postgres::ConnectionLog connection_log_{pool_, seconds(5)};
  base::Health health_;
  Lease lease_{queue_, "@test", health_, metrics_};
  Dispatcher dispatcher_{store_, sets_, publisher_, lease_, unsaved_, config_, clock_, metrics_};
};

TEST_F(DispatcherTest, TellsTheStageThatEachTargetReached) {
  sender_.answer = [](const mqtt::OutgoingMessage& message, const mqtt::PublishCallback& on_done) {
    const bool listens = message.topic == "heliograph/a/data/in";
    on_done(listens ? mqtt::PublishOutcome::kAcknowledged
                    : mqtt::PublishOutcome::kNoMatchingSubscribers,
            0);
  };
  const Answer answer = Must(dispatcher_.Submit(For({"a", "b", "never", "off"}, "k")));
  EXPECT_EQ(sender_.sent.size(), 2U) << "only who may be online is sent anything";
  EXPECT_EQ(StatusIn(answer, 0), "published");
  EXPECT_EQ(StatusIn(answer, 1), "undeliverable");
  EXPECT_EQ(StatusIn(answer, 2), "unknown");
  EXPECT_EQ(StatusIn(answer, 3), "offline");
  const auto stored = Must(store_.Get(answer.action_id, std::nullopt));
  EXPECT_EQ(answer.body, action::WriteAction(*stored)) << "what is answered is what is stored";
}

TEST_F(DispatcherTest, IsStoredBeforeItIsPublished) {
  std::string seen;
  sender_.answer = [&](const auto&, const mqtt::PublishCallback& on_done) {
    seen = StatusOf("a");
    on_done(mqtt::PublishOutcome::kAcknowledged, 0);
  };
  Must(dispatcher_.Submit(For({"a"}, "k")));
  EXPECT_EQ(seen, "accepted");
  EXPECT_EQ(StatusOf("a"), "published");
}

TEST_F(DispatcherTest, WhatASilentBrokerDoesNotAcknowledgeIsQueued) {
  sender_.answer = [](const auto&, const auto&) {};
  const Answer answer = Must(dispatcher_.Submit(For({"a"}, "k")));
  EXPECT_EQ(StatusIn(answer, 0), "queued");
  EXPECT_EQ(StatusOf("a"), "queued not_acknowledged");
  EXPECT_EQ(One("SELECT tries FROM queued_targets"), "1");
}

TEST_F(DispatcherTest, WhoMayWaitIsQueuedAlsoWhereTheBrokerKnowsBetter) {
  sender_.answer = [](const auto&, const mqtt::PublishCallback& on_done) {
    on_done(mqtt::PublishOutcome::kNoMatchingSubscribers, 0);
  };
  Submission submission = For({"a", "off"}, "k");
  submission.request.if_offline = action::IfOffline::kQueue;
  const Answer answer = Must(dispatcher_.Submit(submission));
  EXPECT_EQ(StatusOf("a"), "queued no_matching_subscribers");
  EXPECT_EQ(StatusOf("off"), "queued not_online");
  EXPECT_EQ(answer.body, action::WriteAction(*Must(store_.Get(answer.action_id, std::nullopt))));
}

TEST_F(DispatcherTest, WhoHasLostItsLeaseAcceptsNothing) {
  postgres::StoreTest::Run("UPDATE dispatchers SET lost = true");
  const auto deadline = std::chrono::steady_clock::now() + seconds(10);
  while (!lease_.holder().empty() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(milliseconds(20));
  }
  const auto answer = dispatcher_.Submit(For({"a"}, "k"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, base::ErrorCode::kUnavailable);
  EXPECT_EQ(One("SELECT count(*) FROM actions"), "0");
  Must(lease_.Claim());
  EXPECT_TRUE(dispatcher_.Submit(For({"a"}, "k")));
}

TEST_F(DispatcherTest, ABrokerThatIsAwayStoresNothing) {
  sender_.is_connected = false;
  const auto answer = dispatcher_.Submit(For({"a"}, "k"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, base::ErrorCode::kUnavailable);
  EXPECT_EQ(One("SELECT count(*) FROM actions"), "0");
  EXPECT_EQ(One("SELECT count(*) FROM idempotency_keys"), "0");
  sender_.is_connected = true;
  EXPECT_TRUE(dispatcher_.Submit(For({"a"}, "k"))) << "the key is free";
}

TEST_F(DispatcherTest, ARepeatGetsTheSameAnswerAlsoWhenTheBrokerIsAway) {
  const Answer first = Must(dispatcher_.Submit(For({"a"}, "k")));
  postgres::StoreTest::Run("UPDATE action_targets SET status = 'succeeded'");
  EXPECT_EQ(Must(dispatcher_.Submit(For({"a"}, "k"))).body, first.body);
  sender_.is_connected = false;
  const Answer repeat = Must(dispatcher_.Submit(For({"a"}, "k")));
  EXPECT_EQ(repeat.body, first.body);
  EXPECT_EQ(repeat.action_id, first.action_id);
  EXPECT_EQ(sender_.sent.size(), 1U);
  const auto other = dispatcher_.Submit(For({"a"}, "k", "another hash"));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, base::ErrorCode::kConflict);
}

TEST_F(DispatcherTest, TakesADeadlineInItsTimeOnly) {
  const auto with_deadline = [&](const std::string& key, std::chrono::seconds from_now) {
    Submission submission = For({"a"}, key);
    submission.request.deadline = clock_.Now() + from_now;
    return submission;
  };
  Submission soon = with_deadline("k", seconds(100));
  const Answer first = Must(dispatcher_.Submit(soon));
  EXPECT_LE(sender_.sent.at(0).expiry, seconds(100));
  EXPECT_GE(sender_.sent.at(0).expiry, seconds(95));
  for (const Submission& refused : {with_deadline("past", seconds(-1)),
                                    with_deadline("far", std::chrono::hours(24 * 30 + 1))}) {
    const auto answer = dispatcher_.Submit(refused);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, base::ErrorCode::kInvalidArgument);
  }
  EXPECT_EQ(One("SELECT count(*) FROM idempotency_keys"), "1") << "what is refused stores nothing";
  soon.request.deadline = clock_.Now() - seconds(1);
  EXPECT_EQ(Must(dispatcher_.Submit(soon)).body, first.body)
      << "a repeat that comes after the deadline gets the answer of the first";
}

TEST_F(DispatcherTest, PublishesNothingWhenStoringTookUntilTheDeadline) {
  Submission submission = For({"a"}, "k");
  submission.request.ttl = seconds(1);
  // Somebody holds the key; the statement has begun, and waits.
  auto session = Must(pool_.Acquire(std::chrono::steady_clock::now() + seconds(5)));
  Must(session->ExecuteScript(
      "BEGIN; INSERT INTO idempotency_keys (tenant, key, request_hash, action_id, lease_until) "
      "VALUES ('acme', 'k', 'x', gen_random_uuid(), now())"));
  auto answer = std::async(std::launch::async, [&] { return dispatcher_.Submit(submission); });
  std::this_thread::sleep_for(milliseconds(1500));
  Must(session->ExecuteScript("ROLLBACK"));
  EXPECT_EQ(StatusIn(Must(answer.get()), 0), "queued") << "until somebody sees that it is too late";
  EXPECT_TRUE(sender_.sent.empty());
  Must(store_.ExpireDue());
  EXPECT_EQ(StatusOf("a"), "expired not_sent");
}

TEST_F(DispatcherTest, FiftyAtOnceAreOneAction) {
  sender_.answer = [](const auto&, const mqtt::PublishCallback& on_done) {
    std::thread([on_done] {
      std::this_thread::sleep_for(milliseconds(100));
      on_done(mqtt::PublishOutcome::kAcknowledged, 0);
    }).detach();
  };
  std::vector<std::future<base::Result<Answer>>> answers;
  for (int i = 0; i < 50; ++i) {
    answers.push_back(
        std::async(std::launch::async, [this] { return dispatcher_.Submit(For({"a"}, "k")); }));
  }
  std::set<std::string> bodies;
  for (auto& answer : answers) bodies.insert(Must(answer.get()).body);
  EXPECT_EQ(bodies.size(), 1U);
  EXPECT_EQ(sender_.sent.size(), 1U);
  EXPECT_EQ(One("SELECT count(*) FROM actions"), "1");
}

TEST_F(DispatcherTest, ATwinOfADeadRequestIsAnsweredWhenTheLeaseIsOver) {
  postgres::NewAction dead = postgres::ActionFor({"a"}, "k", device::TenantId("acme"));
  dead.lease = milliseconds(200);
  Must(store_.Create(dead));  // and its process is gone
  const auto begin = std::chrono::steady_clock::now();
  const Answer answer = Must(dispatcher_.Submit(For({"a"}, "k")));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(5));
  EXPECT_EQ(answer.action_id, dead.action.id);
  EXPECT_EQ(StatusIn(answer, 0), "queued");
  EXPECT_EQ(StatusOf("a"), "queued dispatcher_ended");
  EXPECT_TRUE(sender_.sent.empty()) << "that is for whoever works on the queue";
}

TEST_F(DispatcherTest, OutcomesThatCannotBeStoredAreAnsweredAndStoredLater) {
  sender_.answer = [&](const auto&, const mqtt::PublishCallback& on_done) {
    // The database goes away between storing and publishing.
    postgres::StoreTest::Run("ALTER TABLE idempotency_keys RENAME TO gone");
    on_done(mqtt::PublishOutcome::kAcknowledged, 0);
  };
  const Answer answer = Must(dispatcher_.Submit(For({"a"}, "k")));
  EXPECT_EQ(StatusIn(answer, 0), "published") << "that is what was reached";
  EXPECT_FALSE(unsaved_.Save());
  postgres::StoreTest::Run("ALTER TABLE gone RENAME TO idempotency_keys");
  EXPECT_EQ(StatusOf("a"), "accepted");
  EXPECT_TRUE(unsaved_.Save());
  EXPECT_EQ(StatusOf("a"), "published");
  sender_.answer = [](const auto&, const auto&) {};
  EXPECT_EQ(Must(dispatcher_.Submit(For({"a"}, "k"))).body, answer.body);
}

TEST_F(DispatcherTest, WhoLostHisLeaseTellsWhatTheOthersDecided) {
  sender_.answer = [&](const auto&, const mqtt::PublishCallback& on_done) {
    postgres::StoreTest::Run(
        "UPDATE idempotency_keys SET lease_until = now() - interval '1 minute'");
    Must(store_.FinishOldestAbandoned({}));
    on_done(mqtt::PublishOutcome::kAcknowledged, 0);
  };
  const Answer answer = Must(dispatcher_.Submit(For({"a"}, "k")));
  EXPECT_EQ(StatusIn(answer, 0), "queued");
  EXPECT_EQ(StatusOf("a"), "queued dispatcher_ended");
}

TEST_F(DispatcherTest, TheHousekeeperEndsWhatNobodyFinishes) {
  postgres::NewAction dead = postgres::ActionFor({"a"}, "dead", device::TenantId("acme"));
  dead.lease = milliseconds(1);
  Must(store_.Create(dead));
  base::Health health;
  {
    const Housekeeper housekeeper(store_, unsaved_, {letters_, log_, connection_log_}, health,
                                  clock_, metrics_);
    const auto deadline = std::chrono::steady_clock::now() + seconds(15);
    while (StatusOf("a") == "accepted" && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(milliseconds(20));
    }
  }
  EXPECT_EQ(StatusOf("a"), "queued dispatcher_ended");
  EXPECT_TRUE(health.ready());
}

}  // namespace
}  // namespace heliograph::dispatch
