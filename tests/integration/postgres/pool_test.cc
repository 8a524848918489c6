#include "postgres/pool.h"

#include <gtest/gtest.h>

#include <thread>

#include "integration/postgres/database.h"

namespace heliograph::postgres {
namespace {

using namespace std::chrono_literals;

base::SteadyTime In(std::chrono::milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

Config Sized(std::int64_t size) {
  Config config = TestConfig();
  config.pool_size = size;
  return config;
}

std::string Backend(Pool::Lease& lease) {
  return std::string(Must(lease->Execute("SELECT pg_backend_pid()")).Get(0, 0));
}

TEST(Pool, KeepsASessionAndIsBounded) {
  Pool pool(Sized(1), "test-pool");
  std::string first;
  {
    auto lease = pool.Acquire(In(5s));
    ASSERT_TRUE(lease);
    first = Backend(*lease);
    const auto second = pool.Acquire(In(50ms));
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, base::ErrorCode::kUnavailable);
  }
  auto lease = pool.Acquire(In(5s));
  ASSERT_TRUE(lease);
  EXPECT_EQ(Backend(*lease), first);
}

TEST(Pool, AWaitingCallerGetsWhatAnotherGivesBack) {
  Pool pool(Sized(1), "test-pool");
  auto held = std::make_unique<base::Result<Pool::Lease>>(pool.Acquire(In(5s)));
  ASSERT_TRUE(*held);
  std::jthread other([&] { EXPECT_TRUE(pool.Acquire(In(5s))); });
  held.reset();
}

TEST(Pool, ReplacesWhatTheServerEnded) {
  Pool pool(Sized(1), "test-pool");
  std::string first;
  {
    auto lease = pool.Acquire(In(5s));
    ASSERT_TRUE(lease);
    first = Backend(*lease);
  }
  Connection other = Connect();
  Must(other.Execute("SELECT pg_terminate_backend($1::int, 5000)", {first}));
  auto lease = pool.Acquire(In(5s));
  ASSERT_TRUE(lease);
  EXPECT_NE(Backend(*lease), first);
}

TEST(Pool, ClosesASessionThatIsLeftInATransaction) {
  Pool pool(Sized(1), "test-pool");
  {
    auto lease = pool.Acquire(In(5s));
    ASSERT_TRUE(lease);
    Must((*lease)->Execute("BEGIN"));
  }
  auto lease = pool.Acquire(In(5s));
  ASSERT_TRUE(lease);
  EXPECT_FALSE((*lease)->in_transaction());
}

TEST(Pool, PlansAnewForTablesThatHaveGrown) {
  Connection other = Connect();
  Must(other.ExecuteScript(
      "CREATE TABLE grown (key text PRIMARY KEY) WITH (autovacuum_enabled = off)"));
  Config config = Sized(1);
  config.session_setup = "SET plan_cache_mode = force_generic_plan";
  config.plans_last = 0ms;
  Pool pool(config, "test-pool");
  // How often the table was read whole until now, after one more look-up by keys.
  const auto look = [&pool] {
    auto lease = pool.Acquire(In(5s));
    Must((*lease)->Execute("SELECT FROM unnest($1::text[]) AS wanted(key) JOIN grown USING (key)",
                           {"{k1,k2}"}));
    Must((*lease)->ExecuteScript("SELECT pg_stat_force_next_flush()"));
    return Must((*lease)->ExecuteScript("SELECT seq_scan FROM pg_stat_user_tables WHERE "
                                        "relname = 'grown'"))
        .GetInt64(0, 0);
  };
  const std::int64_t before = look();
  EXPECT_EQ(look(), before + 1) << "an empty table is read whole";
  Must(other.ExecuteScript("INSERT INTO grown SELECT 'k' || n FROM generate_series(1, 50000) n"));
  const std::int64_t filled = look();
  EXPECT_EQ(look(), filled);
  Must(other.ExecuteScript("DROP TABLE grown"));
}

TEST(Pool, PingTellsWhetherTheDatabaseAnswers) {
  Pool there(TestConfig(), "test-pool");
  EXPECT_TRUE(there.Ping(1s));
  Config nowhere;
  nowhere.connection = "host=127.0.0.1 port=1 dbname=none";
  Pool away(nowhere, "test-pool");
  EXPECT_EQ(away.Ping(1s).error().code, base::ErrorCode::kUnavailable);
  EXPECT_EQ(away.Ping(1s).error().code, base::ErrorCode::kUnavailable)
      << "also while it waits to try again";
}

}  // namespace
}  // namespace heliograph::postgres
