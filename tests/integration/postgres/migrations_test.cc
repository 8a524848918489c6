#include "postgres/migrations.h"

#include <gtest/gtest.h>

#include <thread>

#include "integration/postgres/database.h"

namespace heliograph::postgres {
namespace {

// A schema of its own for each test, so that the order of tests does not matter.
class MigrationsTest : public testing::Test {
 protected:
  MigrationsTest() {
    const std::string schema = "migrations_test";
    Connection admin = Connect();
    Must(admin.ExecuteScript("DROP SCHEMA IF EXISTS " + schema + " CASCADE; CREATE SCHEMA " +
                             schema));
    config_ = TestConfig();
    config_.connection += config_.connection.find('?') == std::string::npos ? "?" : "&";
    config_.connection += "options=-csearch_path%3D" + schema;
  }

  Migrations Open(std::vector<Migration> migrations) {
    auto opened = Migrations::Open(config_, std::move(migrations));
    if (!opened) throw std::runtime_error(opened.error().message);
    return *std::move(opened);
  }

  int Tables() {
    Connection connection = Connect(config_);
    return Must(connection.Execute("SELECT 1 FROM pg_tables WHERE schemaname = 'migrations_test'"))
        .size();
  }

  Config config_;
  const std::vector<Migration> two_{
      {1, "first", "CREATE TABLE a (id int); CREATE TABLE b (id int);",
       "DROP TABLE a; DROP TABLE b;"},
      {2, "second", "ALTER TABLE a ADD COLUMN name text;", "ALTER TABLE a DROP COLUMN name;"}};
};

TEST_F(MigrationsTest, UpDownUp) {
  Migrations migrations = Open(two_);
  auto applied = migrations.Up();
  ASSERT_TRUE(applied) << applied.error().message;
  EXPECT_EQ(applied->size(), 2U);
  EXPECT_EQ(Tables(), 3);
  EXPECT_EQ(migrations.Up()->size(), 0U) << "again: nothing to do";
  const auto states = migrations.Status();
  ASSERT_TRUE(states);
  EXPECT_TRUE((*states)[1].applied_at.has_value());
  EXPECT_FALSE((*states)[1].altered);
  EXPECT_EQ(migrations.Down(2)->size(), 2U);
  EXPECT_EQ(Tables(), 1) << "schema_migrations alone";
  EXPECT_EQ(migrations.Up(1)->size(), 1U) << "up to the first only";
}

TEST_F(MigrationsTest, AFailedOneLeavesNothingOfItself) {
  auto broken = two_;
  broken[1].up = "CREATE TABLE c (id int); SELEKT;";
  Migrations migrations = Open(broken);
  EXPECT_FALSE(migrations.Up());
  EXPECT_EQ(Tables(), 3) << "a, b and schema_migrations, not c";
  EXPECT_FALSE((*migrations.Status())[1].applied_at.has_value());
}

TEST_F(MigrationsTest, OneThatEndsItsTransactionItselfIsRefused) {
  Migrations migrations = Open({{1, "first", "CREATE TABLE a (id int); COMMIT;", "DROP TABLE a;"}});
  const auto applied = migrations.Up();
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, base::ErrorCode::kInvalidArgument);
}

TEST_F(MigrationsTest, AlteredAndMissingFilesStopARun) {
  EXPECT_TRUE(Open(two_).Up());
  auto altered = two_;
  altered[0].up += " -- innocent";
  EXPECT_EQ(Open(altered).Up().error().code, base::ErrorCode::kConflict);
  EXPECT_TRUE((*Open(altered).Status())[0].altered);
  EXPECT_EQ(Open({two_[0]}).Up().error().code, base::ErrorCode::kConflict)
      << "applied by a newer version";
}

TEST_F(MigrationsTest, TwoRunsAtOnceApplyEachOnce) {
  auto run = [&] { EXPECT_TRUE(Open(two_).Up()); };
  {
    std::jthread one(run);
    std::jthread other(run);
  }
  EXPECT_EQ(Tables(), 3);
}

TEST_F(MigrationsTest, TheProjectsOwnGoUpDownAndUp) {
  auto own = ReadMigrations(std::filesystem::path(HELIOGRAPH_SOURCE_DIR) / "migrations");
  ASSERT_TRUE(own) << own.error().message;
  const int count = static_cast<int>(own->size());
  Migrations migrations = Open(*std::move(own));
  auto up = migrations.Up();
  ASSERT_TRUE(up) << up.error().message;
  Connection connection = Connect(config_);
  const Rows bare = Must(connection.Execute(
      "SELECT relname || '.' || attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
      " WHERE relnamespace = 'migrations_test'::regnamespace AND relkind IN ('r', 'p')"
      " AND NOT relispartition AND relname <> 'schema_migrations' AND attnum > 0"
      " AND NOT attisdropped AND col_description(attrelid, attnum) IS NULL"));
  EXPECT_EQ(bare.size(), 0) << "without a comment: " << bare.Get(0, 0);
  auto down = migrations.Down(count);
  ASSERT_TRUE(down) << down.error().message;
  EXPECT_EQ(Tables(), 1);
  const Rows left =
      Must(connection.Execute("SELECT proname FROM pg_proc JOIN pg_namespace n ON n.oid = "
                              "pronamespace WHERE nspname = 'migrations_test'"));
  EXPECT_EQ(left.size(), 0) << "functions are left";
  EXPECT_TRUE(migrations.Up());
}

}  // namespace
}  // namespace heliograph::postgres
