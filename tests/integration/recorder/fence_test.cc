// Two sessions, one partition: who has lost it changes nothing.
#include <gtest/gtest.h>

#include <thread>

#include "integration/recorder/database.h"
#include "postgres/offset_store.h"

namespace heliograph::recorder {
namespace {

using postgres::LogOffset;
using postgres::OffsetAdvance;

const std::string kTopic = "device.control";

class FenceTest : public testing::Test {
 protected:
  FenceTest() : database_("fence_test"), owner_(database_.Connect()), former_(database_.Connect()) {
    for (const std::int32_t partition : {0, 1}) {
      LogOffset offset;
      offset.partition = partition;
      Must(postgres::CreateOffset(owner_, kTopic, offset));
    }
  }

  base::Status Advance(postgres::Connection& connection, std::int64_t from, std::int64_t to,
                       std::int32_t generation = 1) {
    auto transaction = Begin(connection);
    const OffsetAdvance one{0, generation, from, to, base::Timestamp{}};
    if (auto advanced = postgres::AdvanceOffsets(transaction, kTopic, std::span(&one, 1));
        !advanced)
      return advanced;
    return transaction.Commit();
  }

  std::int64_t Next() { return (*postgres::FindOffset(owner_, kTopic, 0))->next_offset; }

  Database database_;
  postgres::Connection owner_;
  postgres::Connection former_;
};

TEST_F(FenceTest, TheOffsetMovesOnlyFromWhereItWasLeft) {
  EXPECT_TRUE(Advance(owner_, 0, 10));
  const auto late = Advance(former_, 0, 7);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, base::ErrorCode::kConflict);
  EXPECT_EQ(Next(), 10);
  EXPECT_EQ(Advance(owner_, 10, 20, 2).error().code, base::ErrorCode::kConflict)
      << "of another log";
}

TEST_F(FenceTest, WhatTheFormerOwnerDidIsRolledBackWithItsOffset) {
  postgres::Must(owner_.ExecuteScript("CREATE TABLE effects (id int)"));
  {
    auto transaction = Begin(former_);
    postgres::Must(transaction.Execute("INSERT INTO effects VALUES (1)"));
    EXPECT_TRUE(Advance(owner_, 0, 10));
    const OffsetAdvance one{0, 1, 0, 7, base::Timestamp{}};
    EXPECT_FALSE(postgres::AdvanceOffsets(transaction, kTopic, std::span(&one, 1)));
  }
  EXPECT_TRUE(postgres::Must(owner_.Execute("SELECT * FROM effects")).empty());
}

TEST_F(FenceTest, TheSecondWaitsForTheFirstAndThenSeesItsOffset) {
  const std::int32_t partitions[] = {0, 1};
  auto first = Begin(owner_);
  ASSERT_TRUE(postgres::LockOffsets(first, kTopic, partitions));
  std::int64_t seen = -1;
  std::jthread second([&] {
    auto transaction = Begin(former_);
    const auto locked = postgres::LockOffsets(transaction, kTopic, partitions);
    if (locked) seen = locked->front().next_offset;
  });
  const OffsetAdvance one{0, 1, 0, 10, base::Timestamp{}};
  Must(postgres::AdvanceOffsets(first, kTopic, std::span(&one, 1)));
  Must(first.Commit());
  second.join();
  EXPECT_EQ(seen, 10);
}

TEST_F(FenceTest, OneOfSeveralPartitionsFencesTheWholeTransaction) {
  const OffsetAdvance both[] = {{0, 1, 0, 5, base::Timestamp{}},
                                {1, 1, 99, 105, base::Timestamp{}}};
  auto transaction = Begin(owner_);
  EXPECT_EQ(postgres::AdvanceOffsets(transaction, kTopic, both).error().code,
            base::ErrorCode::kConflict);
}

TEST_F(FenceTest, ARowIsMadeOnceAndAGenerationBegunOnce) {
  LogOffset offset;
  EXPECT_EQ(postgres::CreateOffset(former_, kTopic, offset).error().code,
            base::ErrorCode::kConflict);
  EXPECT_TRUE(postgres::BeginGeneration(owner_, kTopic, offset, 0));
  EXPECT_EQ(postgres::BeginGeneration(former_, kTopic, offset, 0).error().code,
            base::ErrorCode::kConflict);
  EXPECT_EQ((*postgres::FindOffset(owner_, kTopic, 0))->generation, 2);
}

}  // namespace
}  // namespace heliograph::recorder
