#include "postgres/action_queries.h"

#include "store_fixture.h"

namespace heliograph::postgres {
namespace {

using device::TenantId;

class ActionQueriesTest : public StoreTest {
 protected:
  // One action a second, the youngest last; every tenth for the directive "rare".
  void Fill(int count) {
    Run("INSERT INTO actions (action_id, tenant, requested_by, directive, payload, created_at, "
        "deadline) SELECT md5(n::text)::uuid, 'acme', 'caller-' || n % 2, CASE WHEN n % 10 = 0 "
        "THEN 'rare' ELSE 'usual' END, '1', timestamptz '2026-01-01' + n * interval '1 second', "
        "now() FROM generate_series(1, " +
        std::to_string(count) + ") AS n");
  }
  // All pages.
  std::vector<std::string> All(ActionQuery query) {
    std::vector<std::string> ids;
    while (true) {
      const ActionPage page = Must(queries_.List(query));
      EXPECT_LE(page.actions.size(), static_cast<std::size_t>(query.limit));
      for (const action::Action& each : page.actions) ids.push_back(each.id.str());
      if (!page.next) return ids;
      query.before = page.next;
    }
  }

  ActionQueries queries_{pool_, std::chrono::seconds(5)};
};

TEST_F(ActionQueriesTest, PagesFitTogetherWhateverTheFilter) {
  Fill(95);
  EXPECT_EQ(All({.limit = 7}).size(), 95U);
  EXPECT_EQ(All({.limit = 7}), All({.limit = 1000}));
  EXPECT_EQ(All({.directive = action::Directive("rare"), .limit = 2}).size(), 9U);
  EXPECT_EQ(All({.requested_by = "caller-1", .limit = 10}).size(), 48U);
  EXPECT_EQ(All({.sight = TenantId("rival")}).size(), 0U);
  EXPECT_EQ(All({.tenant = TenantId("acme"), .limit = 19}).size(), 95U)
      << "a page that is just full";
}

TEST_F(ActionQueriesTest, ActionsOfOneMomentAreAllThere) {
  Fill(30);
  Run("UPDATE actions SET created_at = timestamptz '2026-01-01'");
  EXPECT_EQ(All({.limit = 4}).size(), 30U);
}

TEST_F(ActionQueriesTest, AFilterThatFitsFewGoesOnOnTheNextPage) {
  Fill(kActionsLookedAt + 500);
  Run("UPDATE actions SET directive = 'oldest' WHERE created_at = (SELECT min(created_at) FROM "
      "actions)");
  const ActionQuery query{.directive = action::Directive("oldest")};
  const ActionPage first = Must(queries_.List(query));
  EXPECT_TRUE(first.actions.empty());
  ASSERT_TRUE(first.next) << "it has not looked at all of them";
  EXPECT_EQ(All(query).size(), 1U);

  const std::string last_looked_at =
      One("SELECT action_id FROM actions ORDER BY created_at DESC OFFSET " +
          std::to_string(kActionsLookedAt - 1) + " LIMIT 1");
  Run("UPDATE actions SET directive = 'oldest' WHERE action_id = '" + last_looked_at + "'");
  EXPECT_EQ(All(query).size(), 2U) << "the last that was looked at matches itself";
  EXPECT_EQ(All({.directive = query.directive, .limit = 1}).size(), 2U);
}

}  // namespace
}  // namespace heliograph::postgres
