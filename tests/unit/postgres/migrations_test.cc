#include "postgres/migrations.h"

#include <gtest/gtest.h>

#include <fstream>

namespace heliograph::postgres {
namespace {

class ReadMigrationsTest : public testing::Test {
 protected:
  ReadMigrationsTest() {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~ReadMigrationsTest() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name) { std::ofstream(folder_ / name) << "SELECT 1;"; }

  base::ErrorCode Refusal() {
    const auto read = ReadMigrations(folder_);
    EXPECT_FALSE(read);
    return read.error().code;
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / "heliograph-migrations-test";
};

TEST_F(ReadMigrationsTest, PairsByVersion) {
  for (const char* name : {"0002_more.up.sql", "0002_more.down.sql", "0001_first.up.sql",
                           "0001_first.down.sql", "README.md"}) {
    Write(name);
  }
  const auto read = ReadMigrations(folder_);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 2U);
  EXPECT_EQ((*read)[0].name, "first");
  EXPECT_EQ((*read)[1].version, 2);
  EXPECT_EQ((*read)[1].down, "SELECT 1;");
}

TEST_F(ReadMigrationsTest, RefusesHalfPairsGapsAndStrangeNames) {
  EXPECT_EQ(Refusal(), base::ErrorCode::kNotFound) << "nothing there";
  Write("0001_first.up.sql");
  EXPECT_EQ(Refusal(), base::ErrorCode::kInvalidArgument) << "no down";
  Write("0001_first.down.sql");
  EXPECT_TRUE(ReadMigrations(folder_));
  Write("0003_third.up.sql");
  Write("0003_third.down.sql");
  EXPECT_EQ(Refusal(), base::ErrorCode::kInvalidArgument) << "2 is missing";
  Write("0002_second.up.sql");
  Write("0002_another.down.sql");
  EXPECT_EQ(Refusal(), base::ErrorCode::kInvalidArgument) << "two names for one version";
}

TEST_F(ReadMigrationsTest, RefusesWhatIsNotNamedLikeOne) {
  Write("1_first.up.sql");
  EXPECT_EQ(Refusal(), base::ErrorCode::kInvalidArgument);
}

TEST(ReadMigrations, OfTheProjectAreComplete) {
  const auto read = ReadMigrations(std::filesystem::path(HELIOGRAPH_SOURCE_DIR) / "migrations");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->front().name, "connections");
}

}  // namespace
}  // namespace heliograph::postgres
