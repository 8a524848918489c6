#include "postgres/dead_letter_store.h"

#include "store_fixture.h"

namespace heliograph::postgres {
namespace {

using action::TargetEvent;
using device::TenantId;
using std::chrono::seconds;

class DeadLetterStoreTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    AddConnection("off", "offline", "acme");
    AddConnection("on", "online", "acme");
  }

  // Each in a transaction of its own, hence later than the one before.
  NewAction Fail(const std::string& key, const std::string& tenant = "acme") {
    NewAction action = ActionFor({"off"}, key, TenantId(tenant));
    Must(store_.Create(action));
    return action;
  }
  std::vector<DeadLetter> List(DeadLetterQuery query = {}) {
    return Must(letters_.List(query)).letters;
  }
  void Add(const std::string& client_id, std::string_view payload) {
    auto session = Must(pool_.Acquire(std::chrono::steady_clock::now() + seconds(5)));
    auto transaction = Must(Transaction::Begin(*session));
    ASSERT_TRUE(
        AddDeadLetters(transaction, "device.dead-letter",
                       std::vector<LetterRecord>{{2, 41, client_id, "not_json", "device.data/0/7",
                                                  "is no JSON", payload}}));
    ASSERT_TRUE(transaction.Commit());
  }
  static Origin By(const std::string& caller, std::optional<TenantId> tenant) {
    Origin origin;
    origin.caller = caller;
    origin.tenant = std::move(tenant);
    origin.address = "192.0.2.1";
    origin.request_id = "r";
    return origin;
  }

  DeadLetterStore letters_{pool_, seconds(5)};
};

TEST_F(DeadLetterStoreTest, HasWhatNobodyHasDoneOrRefused) {
  NewAction action = ActionFor({"off", "on", "never"}, "k", TenantId("acme"));
  action.forbidden = {};
  Must(store_.Create(action));
  ASSERT_TRUE(store_.Finish(Finished(
      action, {{device::ClientId("on"), TargetEvent::kUndeliverable, "refused_by_broker"}})));
  ASSERT_EQ(List().size(), 3U);
  const DeadLetter newest = List().front();
  EXPECT_EQ(newest.client_id, "on");
  EXPECT_EQ(newest.status, "undeliverable");
  EXPECT_EQ(newest.reason, "refused_by_broker");
  EXPECT_EQ(newest.tenant, TenantId("acme"));
  EXPECT_EQ(newest.action_id, action.action.id);
  EXPECT_EQ(newest.state, DeadLetterState::kOpen);
  const NewAction cancelled = Queueing(ActionFor({"off"}, "c", TenantId("acme")));
  Must(store_.Create(cancelled));
  Must(store_.Cancel(cancelled.action.id, By("tester", std::nullopt)));
  EXPECT_EQ(List().size(), 3U) << "what a caller called off is no dead letter";
}

TEST_F(DeadLetterStoreTest, ATenantSeesHisOwn) {
  Fail("a");
  AddConnection("theirs", "offline", "rival");
  Must(store_.Create(ActionFor({"theirs"}, "b", TenantId("rival"))));
  Add("on", "x");
  Add("", "nobody's");
  EXPECT_EQ(List().size(), 4U);
  DeadLetterQuery acme;
  acme.sight = TenantId("acme");
  ASSERT_EQ(List(acme).size(), 2U);
  const std::int64_t id = List(acme).front().place.id;
  EXPECT_TRUE(Must(letters_.Get(id, TenantId("acme"))));
  EXPECT_FALSE(Must(letters_.Get(id, TenantId("rival"))));
  EXPECT_FALSE(Must(letters_.Discard(id, "", By("rival", TenantId("rival")))));
  EXPECT_EQ(Must(letters_.Get(id, std::nullopt))->state, DeadLetterState::kOpen);
}

TEST_F(DeadLetterStoreTest, ARecordKeepsItsBytes) {
  const std::string bytes("\0\xff{", 3);
  Add("on", bytes + std::string(kLongestLetterPayload, 'x'));
  const DeadLetter record = *Must(letters_.Get(List().front().place.id, std::nullopt));
  EXPECT_EQ(record.kind, DeadLetterKind::kRecord);
  EXPECT_EQ(record.tenant, TenantId("acme")) << "its device's";
  EXPECT_EQ(record.topic, "device.dead-letter");
  EXPECT_EQ(record.partition, 2);
  EXPECT_EQ(record.offset, 41);
  EXPECT_EQ(record.source, "device.data/0/7");
  EXPECT_EQ(record.payload_base64.substr(0, 4), "AP97");
  EXPECT_EQ(One("SELECT octet_length(payload) FROM dead_letters"),
            std::to_string(kLongestLetterPayload));
}

TEST_F(DeadLetterStoreTest, PagesAndFilters) {
  std::vector<NewAction> actions;
  for (int i = 0; i < 7; ++i) actions.push_back(Fail("k" + std::to_string(i)));
  Add("on", "x");
  DeadLetterQuery query;
  query.kind = DeadLetterKind::kAction;
  query.limit = 3;
  std::vector<std::string> seen;
  for (bool more = true; more;) {
    const DeadLetterPage page = Must(letters_.List(query));
    for (const DeadLetter& one : page.letters) seen.push_back(one.action_id->str());
    more = page.next.has_value();
    query.before = page.next;
  }
  ASSERT_EQ(seen.size(), actions.size());
  for (std::size_t i = 0; i < seen.size(); ++i) {
    EXPECT_EQ(seen[i], actions[actions.size() - 1 - i].action.id.str());
  }
  DeadLetterQuery one;
  one.action_id = actions[3].action.id;
  EXPECT_EQ(List(one).size(), 1U);
  one.reason = "refused_by_broker";
  EXPECT_EQ(List(one).size(), 0U);
  DeadLetterQuery records;
  records.kind = DeadLetterKind::kRecord;
  records.client_id = "on";
  EXPECT_EQ(List(records).size(), 1U);
  DeadLetterQuery discarded;
  discarded.state = DeadLetterState::kDiscarded;
  EXPECT_EQ(List(discarded).size(), 0U);
}

TEST_F(DeadLetterStoreTest, DiscardsOnceAndTellsTheAudit) {
  const NewAction action = Fail("a");
  const std::int64_t id = List().front().place.id;
  const auto audited = [this] {
    return One("SELECT count(*) FROM audit WHERE deed = 'discard' AND decision = 'accepted'");
  };
  const std::string before = audited();
  const auto letter = Must(letters_.Discard(id, "known", By("ops", std::nullopt)));
  EXPECT_EQ(letter->state, DeadLetterState::kDiscarded);
  EXPECT_EQ(letter->decided_by, "ops");
  EXPECT_EQ(letter->note, "known");
  EXPECT_EQ(Must(letters_.Discard(id, "again", By("other", std::nullopt)))->note, "known");
  EXPECT_EQ(audited(), std::to_string(std::stoi(before) + 1));
  EXPECT_EQ(One("SELECT dead_letter_id FROM audit WHERE deed = 'discard' ORDER BY place DESC"),
            std::to_string(id));
}

TEST_F(DeadLetterStoreTest, WhatTriesItAgainDecidesAboutIt) {
  const NewAction action = Fail("a");
  NewAction replay = Queueing(ActionFor({"off"}, "b", TenantId("acme")));
  replay.action.replay_of = action.action.id;
  Must(store_.Create(replay));
  const DeadLetter letter = List().front();
  EXPECT_EQ(letter.state, DeadLetterState::kReplayed);
  EXPECT_EQ(letter.replayed_as, replay.action.id);
  EXPECT_EQ(letter.decided_by, "tester");
  EXPECT_EQ(Must(store_.Get(replay.action.id, std::nullopt))->replay_of, action.action.id);
  EXPECT_EQ(One("SELECT deed FROM audit ORDER BY place DESC"), "replay");
  EXPECT_EQ(Must(letters_.Discard(letter.place.id, "", By("ops", std::nullopt)))->state,
            DeadLetterState::kReplayed);
}

TEST_F(DeadLetterStoreTest, ForgetsAfterItsTime) {
  Fail("a");
  Fail("b");
  Run("UPDATE dead_letters SET at = now() - interval '31 days' WHERE dead_letter_id = "
      "(SELECT min(dead_letter_id) FROM dead_letters)");
  EXPECT_EQ(Must(letters_.Forget(100)), 1);
  EXPECT_EQ(List().size(), 1U);
}

}  // namespace
}  // namespace heliograph::postgres
