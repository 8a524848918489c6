#include "postgres/connection_queries.h"

#include <thread>

#include "store_fixture.h"

namespace heliograph::postgres {
namespace {

using device::ClientId;
using device::ConnectionState;
using device::TenantId;
using std::chrono::seconds;

class ConnectionQueriesTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    AddConnection("a-1", "online", "acme");
    AddConnection("a-2", "offline", "acme");
    AddConnection("b-1", "online", "rival");
    AddConnection("nobodys", "online");
    Run("INSERT INTO connection_descriptions VALUES"
        " ('a-1', '{\"fqdn\":\"x\"}', '{\"solar\":{\"v\":\"1\"}}', "
        "'{\"site\":\"north:1\",\"ring\":\"0\"}')");
    Run("INSERT INTO connection_labels VALUES (tag_label('site', 'north:1'), 'a-1'), "
        "(tag_label('ring', '0'), 'a-1'),"
        " (tag_label('ring', '0'), 'b-1'), (dispatcher_label('solar'), 'a-1')");
  }
  std::vector<std::string> Ids(const ConnectionQuery& query) {
    std::vector<std::string> ids;
    for (const device::Connection& each : Must(queries_.List(query)).connections)
      ids.push_back(each.client_id.str());
    return ids;
  }
  // Facts of `bytes` that compress well, as those of a device that wants to be a burden.
  void Describe(const std::string& id, int bytes) {
    Run("INSERT INTO connection_descriptions VALUES ('" + id + "', to_json(repeat('x', " +
        std::to_string(bytes - 2) + ")), NULL, NULL)");
  }
  using List = std::vector<std::string>;

  ConnectionQueries queries_{pool_, seconds(5)};
};

TEST_F(ConnectionQueriesTest, ShowsATenantItsOwn) {
  EXPECT_EQ(Ids({.sight = TenantId("acme")}), (List{"a-1", "a-2"}));
  EXPECT_EQ(Ids({}), (List{"a-1", "a-2", "b-1", "nobodys"}));
  EXPECT_EQ(Ids({.tenant = TenantId("rival")}), List{"b-1"});
  EXPECT_EQ(Ids({.sight = TenantId("acme"), .tenant = TenantId("rival")}), List{});
  EXPECT_TRUE(Must(queries_.Get(ClientId("a-1"), TenantId("acme"))));
  EXPECT_FALSE(Must(queries_.Get(ClientId("b-1"), TenantId("acme"))));
  EXPECT_FALSE(Must(queries_.Get(ClientId("nobodys"), TenantId("acme"))));
  EXPECT_TRUE(Must(queries_.Get(ClientId("nobodys"), std::nullopt)));
  EXPECT_FALSE(Must(queries_.Get(ClientId("never"), std::nullopt)));
}

TEST_F(ConnectionQueriesTest, WhoAskTogetherAreToldEachItsOwn) {
  struct Case {
    std::string id;
    Sight sight;
    bool found;
  };
  const std::vector<Case> cases = {
      {"a-1", TenantId("acme"), true},  {"a-1", TenantId("rival"), false},
      {"a-1", std::nullopt, true},      {"b-1", TenantId("acme"), false},
      {"b-1", TenantId("rival"), true}, {"nobodys", TenantId("acme"), false},
      {"nobodys", std::nullopt, true},  {"never", std::nullopt, false}};
  std::vector<std::thread> threads;
  for (const Case& each : cases) {
    threads.emplace_back([&] {
      for (int round = 0; round < 100; ++round) {
        const auto found = Must(queries_.Get(ClientId(each.id), each.sight));
        ASSERT_EQ(found.has_value(), each.found) << each.id;
        if (found) {
          EXPECT_EQ(found->client_id, ClientId(each.id));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(ConnectionQueriesTest, Filters) {
  EXPECT_EQ(Ids({.state = ConnectionState::kOffline}), List{"a-2"});
  EXPECT_EQ(Ids({.client_id_prefix = "a-"}), (List{"a-1", "a-2"}));
  EXPECT_EQ(Ids({.client_id_prefix = "a-1"}), List{"a-1"});
  EXPECT_EQ(Ids({.client_id_prefix = "_"}), List{});
  EXPECT_EQ(Ids({.tags = {{"ring", "0"}}}), (List{"a-1", "b-1"}));
  EXPECT_EQ(Ids({.tags = {{"ring", "0"}, {"site", "north:1"}}}), List{"a-1"});
  EXPECT_EQ(Ids({.tags = {{"ring", "0"}, {"ring", "1"}}}), List{});
  EXPECT_EQ(Ids({.sight = TenantId("rival"), .tags = {{"ring", "0"}}}), List{"b-1"});
  EXPECT_EQ(Ids({.dispatcher = "solar"}), List{"a-1"});
  EXPECT_EQ(Ids({.dispatcher = "'; DROP TABLE connections; --"}), List{});
  Run("UPDATE connections SET last_seen = now() - interval '1 hour' WHERE client_id = 'b-1'");
  const auto now = base::SystemClock().Now();
  EXPECT_EQ(Ids({.seen_before = now - seconds(60)}), List{"b-1"});
  EXPECT_EQ(Ids({.state = ConnectionState::kOnline,
                 .client_id_prefix = "b",
                 .tags = {{"ring", "0"}},
                 .seen_before = now + seconds(60),
                 .limit = 1}),
            List{"b-1"});
}

TEST_F(ConnectionQueriesTest, Pages) {
  EXPECT_EQ(Ids({.limit = 2}), (List{"a-1", "a-2"}));
  EXPECT_EQ(Ids({.after = ClientId("a-2"), .limit = 2}), (List{"b-1", "nobodys"}));
  EXPECT_EQ(Ids({.after = ClientId("nobodys"), .limit = 2}), List{});
}

TEST_F(ConnectionQueriesTest, SaysWhetherThereIsMore) {
  EXPECT_TRUE(Must(queries_.List({.limit = 3})).more);
  EXPECT_FALSE(Must(queries_.List({.limit = 4})).more);
  EXPECT_FALSE(Must(queries_.List({.client_id_prefix = "zz"})).more);
}

TEST_F(ConnectionQueriesTest, PagesEndEarlyWhereDescriptionsAreLarge) {
  for (const char* id : {"a-2", "b-1", "nobodys"}) Describe(id, 1000);
  const auto with = [](std::int64_t bytes, const char* after = "") {
    return ConnectionQuery{.after = ClientId(after), .limit = 100, .most_bytes = bytes};
  };
  // a-1 has its few facts; each page ends with the row that passes the bound.
  EXPECT_EQ(Ids(with(1'000'000)), (List{"a-1", "a-2", "b-1", "nobodys"}));
  EXPECT_EQ(Ids(with(1500)), (List{"a-1", "a-2", "b-1"}));
  EXPECT_EQ(Ids(with(900)), (List{"a-1", "a-2"}));
  EXPECT_TRUE(Must(queries_.List(with(900))).more);
  EXPECT_EQ(Ids(with(1, "a-1")), List{"a-2"}) << "the first row is always there";
  EXPECT_EQ(Ids(with(1, "b-1")), List{"nobodys"});
  EXPECT_FALSE(Must(queries_.List(with(1, "b-1"))).more);
  Run("UPDATE connections SET client_name = repeat('n', 1000) WHERE client_id = 'a-1'");
  EXPECT_EQ(Ids(with(900)), List{"a-1"}) << "names count too";
}

TEST_F(ConnectionQueriesTest, ReadsEveryField) {
  const auto found = Must(queries_.Get(ClientId("a-1"), std::nullopt));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->tenant, TenantId("acme"));
  EXPECT_EQ(found->state, ConnectionState::kOnline);
  EXPECT_EQ(found->reason, "said_online");
  EXPECT_EQ(found->position, (device::LogPosition{0, 7}));
  EXPECT_EQ(found->description.canonical_facts, "{\"fqdn\":\"x\"}");
  EXPECT_EQ(found->description.dispatchers, "{\"solar\":{\"v\":\"1\"}}");
  EXPECT_EQ(Must(queries_.Get(ClientId("a-2"), std::nullopt))->description.tags, "null");
}

TEST_F(ConnectionQueriesTest, ListsIntervalsFromTheNewest) {
  for (int i = 0; i < 5; ++i) {
    Run("INSERT INTO intervals (client_id, online_from, opened_generation, opened_partition, "
        "opened_offset,"
        " online_until, reason) VALUES ('a-1', to_timestamp(" +
        std::to_string(1000 + i / 2) + "), 1, 0, " + std::to_string(i) +
        (i == 4 ? ", NULL, NULL)" : ", to_timestamp(2000), 'connection_lost')"));
  }
  IntervalQuery query{
      .sight = TenantId("acme"), .client_id = ClientId("a-1"), .before = {}, .limit = 2};
  std::vector<std::int64_t> offsets;
  while (true) {
    const auto page = Must(queries_.ListIntervals(query));
    ASSERT_TRUE(page);
    if (page->empty()) break;
    for (const StoredInterval& each : *page) offsets.push_back(each.place.opened_at.offset);
    query.before = page->back().place;
  }
  EXPECT_EQ(offsets, (std::vector<std::int64_t>{4, 3, 2, 1, 0}))
      << "those that began at one time too";
  query.before.reset();
  const auto newest = Must(queries_.ListIntervals(query));
  EXPECT_FALSE(newest->front().interval.online_until);
  EXPECT_EQ(newest->back().interval.end_reason, "connection_lost");
  EXPECT_FALSE(Must(queries_.ListIntervals(
      {.sight = TenantId("rival"), .client_id = ClientId("a-1"), .before = {}})));
  EXPECT_TRUE(
      Must(queries_.ListIntervals({.sight = {}, .client_id = ClientId("a-2"), .before = {}}))
          ->empty());
}

}  // namespace
}  // namespace heliograph::postgres
