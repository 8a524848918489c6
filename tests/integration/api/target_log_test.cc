#include "postgres/target_log.h"

#include "postgres/action_results.h"
#include "store_fixture.h"

namespace heliograph::postgres {
namespace {

using action::TargetEvent;
using action::TargetStatus;
using std::chrono::milliseconds;
using std::chrono::seconds;

class TargetLogTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    AddConnection("a", "online");
    AddConnection("b", "online");
    AddConnection("off", "offline");
  }

  NewAction Create(std::vector<std::string> client_ids, const std::string& key = "key-1") {
    NewAction action = ActionFor(std::move(client_ids), key);
    Must(store_.Create(action));
    return action;
  }
  Pool::Lease Session() {
    return Must(pool_.Acquire(std::chrono::steady_clock::now() + seconds(5)));
  }
  void Answer(const NewAction& action, const std::string& client_id, TargetEvent event,
              const std::string& content = "null") {
    auto session = Session();
    auto transaction = Must(Transaction::Begin(*session));
    ReceivedReport received;
    received.client_id = device::ClientId(client_id);
    received.report.action_id = action.action.id;
    received.report.event = event;
    received.report.content = content;
    received.received_at = base::SystemClock().Now();
    Must(ApplyReports(transaction, std::vector{received}));
    ASSERT_TRUE(transaction.Commit());
  }
  // "a succeeded" for each that ended, in the log's order; goes on behind them.
  std::vector<std::string> Ended() {
    std::vector<std::string> lines;
    for (bool more = true; more;) {
      const EndedTargets ended = Must(log_.ReadEnded(place_));
      for (const EndedTarget& one : ended.targets) {
        lines.push_back(one.target.client_id.str() + " " +
                        std::string(action::TargetStatusName(one.target.status)));
      }
      place_ = ended.up_to;
      more = ended.more;
    }
    return lines;
  }
  std::string Logged() {
    return One(
        "SELECT string_agg(client_id || ' ' || status || coalesce(' ' || progress, ''), ', '"
        " ORDER BY xid, place) FROM target_log");
  }

  TargetLog log_{pool_, seconds(5)};
  TargetLogPlace place_;
};

TEST_F(TargetLogTest, HasEveryChangeOfEveryStatement) {
  const NewAction action = Create({"a", "b", "off"});
  Create({"never"}, "other");
  ASSERT_TRUE(store_.Finish(Finished(
      action, {{device::ClientId("a"), TargetEvent::kPublished, ""},
               {device::ClientId("b"), TargetEvent::kUndeliverable, "refused_by_broker"}})));
  Answer(action, "a", TargetEvent::kRunning);
  Answer(action, "a", TargetEvent::kRunning);  // says nothing new
  Answer(action, "a", TargetEvent::kSucceeded, "7");
  EXPECT_EQ(Logged(),
            "off offline, never unknown, a published, b undeliverable, a running, a succeeded");
  EXPECT_EQ(Ended(), (std::vector<std::string>{"off offline", "never unknown", "b undeliverable",
                                               "a succeeded"}));
  EXPECT_EQ(Ended(), std::vector<std::string>());
}

TEST_F(TargetLogTest, TellsTheActionAndTheResult) {
  const NewAction action = Create({"a"});
  Answer(action, "a", TargetEvent::kSucceeded, R"({"x":"\u0000"})");
  const EndedTargets ended = Must(log_.ReadEnded({}));
  ASSERT_EQ(ended.targets.size(), 1U);
  const EndedTarget& one = ended.targets.front();
  EXPECT_EQ(one.action.payload, action.action.payload);
  EXPECT_EQ(one.action.directive, action.action.directive);
  EXPECT_EQ(one.action.requested_by, "tester");
  ASSERT_TRUE(one.target.result);
  EXPECT_EQ(one.target.result->content, R"({"x":"\u0000"})");
}

TEST_F(TargetLogTest, AnAnswerThatCameAfterTheEndIsNoneOfIt) {
  const NewAction action = Create({"a"});
  Run("UPDATE actions SET deadline = now() - interval '1 second'");
  Must(store_.ExpireDue());
  Answer(action, "a", TargetEvent::kSucceeded, "7");
  const EndedTargets ended = Must(log_.ReadEnded({}));
  ASSERT_EQ(ended.targets.size(), 1U);
  EXPECT_EQ(ended.targets.front().target.status, TargetStatus::kExpired);
  EXPECT_FALSE(ended.targets.front().target.result);
}

// The one that began first commits last: its rows are before those of the other, which must not be
// read until then.
TEST_F(TargetLogTest, PassesNobodyWhoIsStillAtIt) {
  const NewAction slow = Create({"a"}, "slow");
  const NewAction fast = Create({"b"}, "fast");
  {
    auto session = Session();
    auto transaction = Must(Transaction::Begin(*session));
    Must(transaction.Execute("UPDATE action_targets SET status = 'failed' WHERE client_id = 'a'"));
    Answer(fast, "b", TargetEvent::kSucceeded);
    EXPECT_EQ(Ended(), std::vector<std::string>()) << "b is behind a, who may yet come";
    ASSERT_TRUE(transaction.Commit());
  }
  EXPECT_EQ(Ended(), (std::vector<std::string>{"a failed", "b succeeded"}));
  {
    auto session = Session();
    auto transaction = Must(Transaction::Begin(*session));
    Must(transaction.Execute("UPDATE action_targets SET status = 'running'"));
    transaction.Rollback();
  }
  EXPECT_EQ(Ended(), std::vector<std::string>());
}

TEST_F(TargetLogTest, ReadsLargeResultsInPieces) {
  constexpr int kTargets = 40;
  std::vector<std::string> ids;
  for (int i = 0; i < kTargets; ++i) {
    ids.push_back("big-" + std::to_string(i));
    AddConnection(ids.back(), "online");
  }
  const NewAction action = Create(ids);
  for (const std::string& id : ids) {
    Answer(action, id, TargetEvent::kSucceeded, '"' + std::string(256 * 1024, 'x') + '"');
  }
  const EndedTargets first = Must(log_.ReadEnded({}));
  EXPECT_TRUE(first.more);
  EXPECT_LT(first.targets.size(), 35U);
  EXPECT_EQ(Ended().size(), std::size_t{kTargets});
}

TEST_F(TargetLogTest, FindsWhoIsOpenAndEndsAnActionOnce) {
  const NewAction action = Create({"a", "b"}, "k");
  const action::ActionId id = action.action.id;
  const auto open = [&](const std::string& from) {
    return Must(log_.FindOpen(std::vector<OpenFrom>{{id, device::ClientId(from)}})).front().str();
  };
  EXPECT_EQ(open(""), "a");
  Answer(action, "a", TargetEvent::kSucceeded);
  EXPECT_EQ(open(""), "b");
  EXPECT_EQ(open("b"), "b");
  Answer(action, "b", TargetEvent::kFailed);
  EXPECT_EQ(open("b"), "");
  ASSERT_TRUE(log_.EndActions(std::vector{id}));
  ASSERT_TRUE(log_.EndActions(std::vector{id}));
  EXPECT_EQ(One("SELECT count(*) FROM target_log WHERE status = 'ended'"), "1");
  const auto changes = Must(log_.Read({}, 100));
  ASSERT_EQ(changes.size(), 3U);
  EXPECT_EQ(changes[0].target->client_id.str(), "a");
  EXPECT_FALSE(changes[2].target) << "the whole action";
  EXPECT_EQ(changes[2].action_id, id);
  EXPECT_EQ(Must(log_.Read(changes[0].place, 1)).front().target->client_id.str(), "b");
  EXPECT_TRUE(Must(log_.Read(Must(log_.End()), 100)).empty());
}

TEST_F(TargetLogTest, OneTellsAtATime) {
  EXPECT_TRUE(Must(log_.Claim("one", seconds(60))));
  EXPECT_TRUE(Must(log_.Claim("one", seconds(60)))) << "its own";
  EXPECT_FALSE(Must(log_.Claim("other", seconds(60))));
  const TargetLogPlace here{5, 1};
  EXPECT_TRUE(Must(log_.Advance("one", {}, here, milliseconds(1))));
  EXPECT_FALSE(Must(log_.Advance("one", {}, here, seconds(60)))) << "it stands elsewhere";
  std::this_thread::sleep_for(milliseconds(50));
  const auto taken = Must(log_.Claim("other", seconds(60)));
  ASSERT_TRUE(taken);
  EXPECT_EQ(*taken, here);
  EXPECT_FALSE(Must(log_.Advance("one", here, {6, 1}, seconds(60)))) << "another has taken over";
  ASSERT_TRUE(log_.Release("other"));
  EXPECT_TRUE(Must(log_.Claim("one", seconds(60))));
}

TEST_F(TargetLogTest, ForgetsWhatIsOldAndTold) {
  const NewAction action = Create({"off", "never"});
  Run("UPDATE target_log SET changed_at = now() - interval '25 hours' WHERE client_id = 'off'");
  EXPECT_EQ(Must(log_.Forget(100)), 0) << "nobody was told";
  Must(log_.Claim("one", seconds(60)));
  const EndedTargets ended = Must(log_.ReadEnded({}));
  ASSERT_TRUE(Must(log_.Advance("one", {}, ended.up_to, seconds(60))));
  EXPECT_EQ(Must(log_.Forgotten()), TargetLogPlace{});
  EXPECT_EQ(Must(log_.Forget(100)), 1);
  EXPECT_EQ(Logged(), "never unknown");
  EXPECT_GT(Must(log_.Forgotten()), TargetLogPlace{});
  EXPECT_LT(Must(log_.Forgotten()), ended.up_to);
}

}  // namespace
}  // namespace heliograph::postgres
