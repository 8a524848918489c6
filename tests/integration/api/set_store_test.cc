// Actions for sets of devices, in a real database: who is in a set, that it is frozen, what it
// costs.
#include "postgres/set_store.h"

#include <fstream>

#include "json/json.h"
#include "store_fixture.h"

namespace heliograph::postgres {
namespace {

using device::ClientId;
using Why = SetRefusal::Why;

// The most memory that this process has had since its peak was reset.
std::int64_t PeakKiB() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::int64_t peak = 0;
    if (word == "VmHWM:" && status >> peak) return peak;
  }
  throw std::runtime_error("/proc/self/status has no VmHWM");
}

class SetStoreTest : public StoreTest {
 protected:
  NewSetAction For(const TargetSet& set, const std::string& key = "key-1") {
    NewSetAction action;
    action.action = ActionFor({}, key, set.tenant);
    action.set = set;
    return action;
  }
  CreatedSet Created(const NewSetAction& action) {
    return std::get<CreatedSet>(Must(sets_.Create(action)));
  }
  SetRefusal Refused(const NewSetAction& action) {
    return std::get<SetRefusal>(Must(sets_.Create(action)));
  }
  DryRun Tried(const TargetSet& set, const Judge& judge = {}) {
    return std::get<DryRun>(Must(sets_.Try({set, "meaning", judge})));
  }
  void AddMany(int count, const std::string& state) {
    // It may take longer than a statement of the others' pool.
    auto session =
        Must(set_pool_.Acquire(std::chrono::steady_clock::now() + std::chrono::seconds(5)));
    Must(session->ExecuteScript(
        "INSERT INTO connections (client_id, tenant, state, since, last_seen, log_generation, "
        "log_partition, log_offset) SELECT 'd-' || lpad(n::text, 7, '0'), 'acme', '" +
        state + "', now(), now(), 1, 0, n FROM generate_series(1, " + std::to_string(count) +
        ") AS n"));
  }
  std::string Statuses(const action::ActionId& id) {
    return One(
        "SELECT string_agg(client_id || ' ' || status, ',' ORDER BY client_id) FROM "
        "action_targets WHERE action_id = '" +
        id.str() + "'");
  }
  std::string Nothing() {
    return One(
        "SELECT (SELECT count(*) FROM actions) + (SELECT count(*) FROM action_targets) + (SELECT "
        "count(*) FROM idempotency_keys) + (SELECT count(*) FROM queued_targets) + (SELECT "
        "count(*) FROM mailboxes)");
  }

  const TargetSet acme_{device::TenantId("acme"), {}, {}, action::Selector{}, {}};
};

TEST_F(SetStoreTest, FreezesWhoIsInTheSet) {
  AddConnection("on", "online", "acme");
  AddConnection("off", "offline", "acme");
  AddConnection("maybe", "unknown", "acme");
  AddConnection("theirs", "online", "rival");
  AddConnection("nobodys", "online");
  TargetSet set = acme_;
  set.exclude = {ClientId("maybe")};
  NewSetAction action = For(set);
  const CreatedSet fails = Created(action);
  EXPECT_EQ(Statuses(fails.action.id), "off offline,on queued");
  EXPECT_EQ(One("SELECT string_agg(client_id, ',') FROM mailboxes WHERE wake_at <= now()"), "on");
  EXPECT_EQ(fails.answer, action::WriteAction(*Must(store_.Get(fails.action.id, std::nullopt))));
  EXPECT_EQ(One("SELECT answer FROM idempotency_keys"), fails.answer);
  AddConnection("later", "online", "acme");
  EXPECT_EQ(Statuses(fails.action.id), "off offline,on queued");

  action = For(acme_, "key-2");
  action.action.action.if_offline = action::IfOffline::kQueue;
  EXPECT_EQ(Statuses(Created(action).action.id), "later queued,maybe queued,off queued,on queued");
  EXPECT_EQ(One("SELECT string_agg(client_id, ',' ORDER BY client_id) FROM mailboxes WHERE wake_at "
                "= 'infinity'"),
            "off");
  EXPECT_EQ(One("SELECT string_agg(targets::text, ',' ORDER BY place) FROM audit WHERE action_id "
                "IN (SELECT action_id FROM actions)"),
            "2,4");
  EXPECT_TRUE(std::holds_alternative<std::monostate>(Must(sets_.Create(action)))) << "same key";
}

TEST_F(SetStoreTest, RefusesWithoutATrace) {
  TargetSet group = acme_;
  group.selector.reset();
  group.group = action::GroupName("none");
  EXPECT_EQ(Refused(For(group)).why, Why::kNoGroup);
  EXPECT_EQ(Refused(For(acme_)).why, Why::kNobody);
  AddConnection("on", "online", "acme");
  NewSetAction action = For(acme_);
  action.dry_run = {"01a1fc62-c055-7048-8610-74a05baaca77", "meaning"};
  EXPECT_EQ(Refused(action).why, Why::kNoDryRun);
  action.dry_run = {Tried(acme_).id, "another"};
  EXPECT_EQ(Refused(action).why, Why::kOtherRequest);
  action.dry_run.reset();
  action.judge = [](const auto&) {
    return base::Result<std::vector<ClientId>>(
        base::MakeError(base::ErrorCode::kUnavailable, "nobody can say"));
  };
  EXPECT_EQ(sets_.Create(action).error().code, base::ErrorCode::kUnavailable);
  EXPECT_EQ(Nothing(), "0");
}

TEST_F(SetStoreTest, MoreThanAMillionAreTooMany) {
  TargetSet set{acme_.tenant, {}, {}, {}, {}};
  for (int i = 0; i <= 1'000'000; ++i) set.client_ids.emplace_back("d-" + std::to_string(i));
  const SetRefusal refusal = Refused(For(set));
  EXPECT_EQ(refusal.why, Why::kTooMany);
  EXPECT_EQ(refusal.count, 1'000'001);
  EXPECT_EQ(Nothing(), "0");
}

TEST_F(SetStoreTest, TellsWhatChangedSinceTheDryRun) {
  for (const char* id : {"a", "b", "c"}) AddConnection(id, "online", "acme");
  const DryRun tried = Tried(acme_);
  Run("UPDATE connections SET state = 'offline' WHERE client_id = 'a'");
  NewSetAction action = For(acme_);
  action.dry_run = {tried.id, "meaning"};
  EXPECT_EQ(Statuses(Created(action).action.id), "a offline,b queued,c queued");
  Run("DELETE FROM connections WHERE client_id IN ('a', 'b')");
  AddConnection("d", "online", "acme");
  action = For(acme_, "key-2");
  action.dry_run = {tried.id, "meaning"};
  const SetRefusal refusal = Refused(action);
  EXPECT_EQ(refusal.why, Why::kChanged);
  EXPECT_EQ(refusal.added, 1);
  EXPECT_EQ(refusal.removed, 2);
  EXPECT_EQ(One("SELECT count(*) FROM actions"), "1");
  Run("UPDATE dry_runs SET created_at = now() - interval '61 minutes'");
  EXPECT_EQ(Refused(action).why, Why::kNoDryRun);
  ASSERT_TRUE(store_.ForgetOldDryRuns());
  EXPECT_EQ(One("SELECT count(*) FROM dry_runs"), "0");
}

TEST_F(SetStoreTest, AsksOfEveryOneInSlices) {
  AddMany(20'001, "offline");
  AddConnection("on", "online", "acme");
  std::vector<std::size_t> slices;
  const Judge judge = [&](std::span<const ClientId> ids) {
    slices.push_back(ids.size());
    std::vector<ClientId> forbidden;
    for (const ClientId& id : ids) {
      if (id.view().ends_with("0")) forbidden.push_back(id);
    }
    return base::Result<std::vector<ClientId>>(forbidden);
  };
  const DryRun tried = Tried(acme_, judge);
  ASSERT_EQ(tried.counts.size(), 3U);
  EXPECT_EQ(tried.counts[2].word, "unauthorised");
  EXPECT_EQ(tried.counts[2].count, 2'000);
  EXPECT_EQ(tried.counts[2].sample.front(), "d-0000010");
  EXPECT_EQ(std::ssize(tried.counts[2].sample), kSampled);
  NewSetAction action = For(acme_);
  action.judge = judge;
  const CreatedSet created = Created(action);
  EXPECT_EQ(created.action.totals.at(action::TargetStatus::kUnauthorised), 2'000);
  EXPECT_EQ(created.action.totals.at(action::TargetStatus::kOffline), 18'001);
  EXPECT_EQ(created.action.totals.at(action::TargetStatus::kQueued), 1);
  EXPECT_EQ(slices, (std::vector<std::size_t>{10'000, 10'000, 2, 10'000, 10'000, 2}));
}

// The set stays in the database: this process grows by nothing that goes with its size.
TEST_F(SetStoreTest, AHundredThousandPassThisProcessBy) {
  AddMany(100'000, "online");
  Created(For({acme_.tenant, {ClientId("d-0000001")}, {}, {}, {}}, "warm"));
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak counts from now
  const std::int64_t before = PeakKiB();
  NewSetAction action = For(acme_, "large");
  const CreatedSet created = Created(action);
  EXPECT_LT(PeakKiB() - before, 2'000) << "twenty bytes for each would show";
  EXPECT_EQ(created.action.totals.at(action::TargetStatus::kQueued), 100'000);
  EXPECT_FALSE(created.action.targets);
  EXPECT_LT(created.answer.size(), 1'000U);
  EXPECT_EQ(One("SELECT count(*) FROM queued_targets"), "100001");
  EXPECT_EQ(One("SELECT count(*) FROM mailboxes WHERE wake_at <= now()"), "100000");
}

}  // namespace
}  // namespace heliograph::postgres
