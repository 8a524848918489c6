// Lists, look-ups and actions among 50,000 connections: each has an index that it needs. The
// database's own counts tell whether a table was read from end to end; asked for more often than
// PostgreSQL plans anew, so that the plan that it keeps is seen too.
#include "postgres/action_queries.h"
#include "postgres/connection_queries.h"
#include "store_fixture.h"

namespace heliograph::postgres {
namespace {

using device::ClientId;
using device::ConnectionState;
using device::TenantId;
using std::chrono::seconds;

constexpr int kTimes = 10;

Config OneSession() {
  Config config = StoreConfig();
  config.pool_size = 1;
  return config;
}

// Filled once: no test changes what another asks about.
class IndexesTest : public StoreTest {
 protected:
  static void SetUpTestSuite() {
    StoreTest::SetUpTestSuite();
    Config config = OneSession();
    config.statement_timeout = std::chrono::milliseconds(0);
    Pool pool(config, "test-fill");
    auto session = Must(pool.Acquire(std::chrono::steady_clock::now() + seconds(5)));
    const auto Run = [&](const char* sql) { Must(session->ExecuteScript(sql)); };
    Run(kEmpty);
    Run("INSERT INTO connections SELECT 'device-' || n, 'tenant-' || n % 50,"
        " CASE WHEN n % 3 = 0 THEN 'offline' ELSE 'online' END, now(), 'said_online',"
        " now() - n * interval '1 minute', 's', 'n', '1', 1, 0, n"
        " FROM generate_series(1, 50000) AS n");
    Run("INSERT INTO connection_descriptions SELECT client_id, '{\"fqdn\":\"x\"}',"
        " '{\"solar\":{}}', json_build_object('site', 'site-' || log_offset % 100)"
        " FROM connections");
    Run("INSERT INTO connection_labels SELECT labels_of(tags, dispatchers), client_id"
        " FROM connection_descriptions");
    Run("INSERT INTO intervals SELECT client_id, since - stay * interval '1 hour', 1, 0,"
        " log_offset * 10 + stay FROM connections, generate_series(1, 2) AS stay");
    Run("INSERT INTO actions (action_id, tenant, requested_by, directive, payload, deadline)"
        " SELECT md5(n::text)::uuid, 'tenant-1', 'tester', 'd', '1', now() + n * interval '1 hour'"
        " FROM generate_series(1, 5000) AS n");
    Run("INSERT INTO action_targets (action_id, client_id, status)"
        " SELECT action_id, 'device-' || n, CASE WHEN n = 1 THEN 'offline' ELSE 'published' END"
        " FROM actions, generate_series(1, 10) AS n");
    Run("ANALYZE");
  }
  void SetUp() override {}

  std::string Scans() {
    auto session = Must(one_.Acquire(std::chrono::steady_clock::now() + seconds(5)));
    Must(session->ExecuteScript("SELECT pg_stat_force_next_flush()"));
    const Rows rows = Must(session->ExecuteScript(
        "SELECT string_agg(relname || ' ' || seq_scan, ', ' ORDER BY relname)"
        " FROM pg_stat_user_tables WHERE relname IN ('connections', 'connection_descriptions',"
        " 'connection_labels', 'intervals', 'actions', 'action_targets')"));
    return std::string(rows.Get(0, 0));
  }

  std::int64_t EntriesRead() {
    auto session = Must(one_.Acquire(std::chrono::steady_clock::now() + seconds(5)));
    Must(session->ExecuteScript("SELECT pg_stat_force_next_flush()"));
    return Must(session->ExecuteScript("SELECT sum(idx_tup_read) FROM pg_stat_user_indexes"
                                       " WHERE indexrelname = 'connections_pkey'"))
        .GetInt64(0, 0);
  }

  // What is read from end to end by it.
  template <class Ask>
  void ExpectNoScan(const char* what, Ask ask) {
    const std::string before = Scans();
    for (int i = 0; i < kTimes; ++i) ask();
    EXPECT_EQ(Scans(), before) << what;
  }

  Pool one_{OneSession(), "test-indexes"};
  ConnectionQueries queries_{one_, seconds(5)};
  ActionStore actions_{one_, seconds(5)};
  const base::Timestamp now_ = base::SystemClock().Now();
};

TEST_F(IndexesTest, AScanIsSeen) {
  const std::string before = Scans();
  Must(Must(one_.Acquire(std::chrono::steady_clock::now() + seconds(5)))
           ->ExecuteScript("SELECT count(*) FROM connections WHERE reason = 'x'"));
  EXPECT_NE(Scans(), before) << "or the other tests could not fail";
}

TEST_F(IndexesTest, ListsOfConnectionsWithEveryFilter) {
  const std::vector<std::pair<const char*, ConnectionQuery>> table = {
      {"all", {}},
      {"a later page", {.after = ClientId("device-3")}},
      {"a tenant's", {.sight = TenantId("tenant-7")}},
      {"an operator's tenant", {.tenant = TenantId("tenant-7")}},
      {"state", {.state = ConnectionState::kOffline}},
      {"a state that nobody is in", {.state = ConnectionState::kUnknown}},
      {"a tenant's, state", {.sight = TenantId("tenant-7"), .state = ConnectionState::kOnline}},
      {"prefix", {.client_id_prefix = "device-123"}},
      {"tag", {.tags = {{"site", "site-5"}}}},
      {"a tenant's, tag", {.sight = TenantId("tenant-5"), .tags = {{"site", "site-5"}}}},
      {"dispatcher", {.dispatcher = "solar"}},
      {"a dispatcher that nobody has", {.dispatcher = "none"}},
      {"seen before, few", {.seen_before = now_ - std::chrono::minutes(49'900)}},
      {"seen before, most", {.seen_before = now_ - std::chrono::minutes(100)}},
      {"everything",
       {.sight = TenantId("tenant-5"),
        .state = ConnectionState::kOnline,
        .client_id_prefix = "device-1",
        .tags = {{"site", "site-5"}},
        .dispatcher = "solar",
        .seen_before = now_,
        .after = ClientId("device-10")}},
  };
  for (const auto& [what, query] : table) {
    ExpectNoScan(what, [&, &asked = query] { Must(queries_.List(asked)); });
  }
}

// A tag that one in a hundred has: its page is looked up, row by row, and what lies between is not
// read. Counted in entries of the index by client_id.
TEST_F(IndexesTest, APageByTagReadsItsOwnRowsOnly) {
  ConnectionQuery query;
  query.tags = {{"site", "site-5"}};
  query.limit = 20;
  for (const char* after : {"", "device-3"}) {
    query.after = ClientId(after);
    const std::int64_t before = EntriesRead();
    for (int i = 0; i < kTimes; ++i) EXPECT_EQ(Must(queries_.List(query)).connections.size(), 20U);
    EXPECT_LE(EntriesRead() - before, kTimes * 2 * (query.limit + 1)) << "after " << after;
  }
}

TEST_F(IndexesTest, OneConnectionAndItsIntervals) {
  ExpectNoScan("a connection", [&] { Must(queries_.Get(ClientId("device-9"), std::nullopt)); });
  IntervalQuery query;
  query.client_id = ClientId("device-9");
  ExpectNoScan("intervals", [&] { Must(queries_.ListIntervals(query)); });
  query.before = Must(queries_.ListIntervals(query))->front().place;
  ExpectNoScan("later intervals",
               [&] { EXPECT_EQ(Must(queries_.ListIntervals(query))->size(), 1U); });
}

TEST_F(IndexesTest, Actions) {
  const action::ActionId id(One("SELECT action_id FROM actions LIMIT 1"));
  ExpectNoScan("an action", [&] { EXPECT_TRUE(Must(actions_.Get(id, std::nullopt))); });
  TargetQuery query;
  query.action_id = id;
  ExpectNoScan("targets", [&] { Must(actions_.ListTargets(query, std::nullopt)); });
  query.status = action::TargetStatus::kOffline;
  query.after = ClientId("device-0");
  ExpectNoScan("targets of a status", [&] { Must(actions_.ListTargets(query, std::nullopt)); });
  ExpectNoScan("a target", [&] {
    EXPECT_TRUE(Must(actions_.GetTarget(id, ClientId("device-4"), std::nullopt)));
  });
  int key = 0;
  ExpectNoScan("a new action", [&] {
    Must(actions_.Create(ActionFor({"device-1", "never"}, "key-" + std::to_string(++key))));
  });
  ExpectNoScan("cancelling", [&] { EXPECT_TRUE(Must(actions_.Cancel(id, {}))); });
  ExpectNoScan("nothing is due", [&] { EXPECT_EQ(Must(actions_.ExpireDue()).targets, 0); });
  Run("UPDATE actions SET deadline = now() - interval '1 s' WHERE deadline < now() + interval '30 "
      "hours'");
  ExpectNoScan("what is due", [&] { Must(actions_.ExpireDue()); });
  EXPECT_GE(One("SELECT count(*) FROM action_targets WHERE status = 'expired'"), "200");
}

TEST_F(IndexesTest, ListsOfActionsWithEveryFilter) {
  const action::ActionId id(One("SELECT action_id FROM actions LIMIT 1"));
  ActionQueries lists(one_, seconds(5));
  const std::vector<std::pair<const char*, ActionQuery>> table = {
      {"actions", {}},
      {"a tenant's actions", {.sight = TenantId("tenant-1")}},
      {"a caller's actions", {.requested_by = "nobody"}},
      {"a directive's actions", {.directive = action::Directive("none")}},
      {"actions of some time",
       {.tenant = TenantId("tenant-1"), .created_from = now_, .created_before = now_}},
      {"a later page", {.before = ActionPlace{now_, id}}},
      {"scheduled", {.status = action::ActionStatus::kScheduled}},
      {"running", {.status = action::ActionStatus::kRunning}},
      {"a tenant's, running",
       {.sight = TenantId("tenant-1"), .status = action::ActionStatus::kRunning}},
      {"paused", {.status = action::ActionStatus::kPaused}},
      {"ended", {.status = action::ActionStatus::kEnded}},
      {"aborted", {.status = action::ActionStatus::kAborted}},
      {"cancelled, a later page",
       {.status = action::ActionStatus::kCancelled, .before = ActionPlace{now_, id}}},
  };
  for (const auto& [what, query] : table) {
    ExpectNoScan(what, [&, &asked = query] { Must(lists.List(asked)); });
  }
}

// Few are open among many that have ended: no more of them is read.
TEST_F(IndexesTest, OpenActionsAreFoundAmongThoseThatHaveEnded) {
  Run("UPDATE actions SET closed = action_id <> (SELECT max(action_id::text)::uuid FROM actions)");
  Run("VACUUM ANALYZE actions");
  ActionQueries lists(one_, seconds(5));
  const auto read = [&] {
    Must(Must(one_.Acquire(std::chrono::steady_clock::now() + seconds(5)))
             ->ExecuteScript("SELECT pg_stat_force_next_flush()"));
    return One("SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'actions'");
  };
  const std::int64_t before = std::stoll(read());
  for (int i = 0; i < kTimes; ++i) {
    EXPECT_EQ(Must(lists.List({.status = action::ActionStatus::kRunning})).actions.size(), 1U);
  }
  EXPECT_LE(std::stoll(read()) - before, kTimes * 2);
}

}  // namespace
}  // namespace heliograph::postgres
