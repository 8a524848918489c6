#include "recorder/owner_sweep.h"

#include <gtest/gtest.h>

#include "contract/owner/fake_resolver.h"
#include "integration/recorder/database.h"

namespace heliograph::recorder {
namespace {

using device::ClientId;
using device::TenantId;

const std::string kTopic = "device.control";

class OwnerSweepTest : public testing::Test {
 protected:
  OwnerSweepTest()
      : database_("owner_sweep_test"),
        connection_(database_.Connect()),
        pool_(database_.config(), "test") {
    for (const std::int32_t partition : {0, 1}) {
      postgres::LogOffset offset;
      offset.partition = partition;
      Must(postgres::CreateOffset(connection_, kTopic, offset));
      offsets_[partition] = offset;
    }
    postgres::Must(
        connection_.ExecuteScript("INSERT INTO connections SELECT 'c-' || to_char(n, 'FM0000'), "
                                  "NULL, 'online', now(), 'said_online', now(), NULL,"
                                  " NULL, NULL, 1, n % 2, n FROM generate_series(0, 3999) AS n"));
  }

  int Sweep() {
    int steps = 0;
    while (true) {
      const auto more = sweep_.Step(offsets_);
      if (!more) throw std::runtime_error(more.error().message);
      if (!*more) return steps;
      ++steps;
    }
  }

  std::int64_t Owned(const std::string& where) {
    return postgres::Must(connection_.Execute("SELECT count(*) FROM connections WHERE " + where))
        .GetInt64(0, 0);
  }

  Database database_;
  postgres::Connection connection_;
  postgres::Pool pool_;
  Offsets offsets_;
  owner::FakeResolver resolver_{
      {{ClientId("c-0000"), TenantId("one")}, {ClientId("c-3999"), TenantId("two")}}};
  OwnerSweep sweep_{resolver_, pool_, kTopic};
};

TEST_F(OwnerSweepTest, GivesEveryStoredConnectionItsOwnerPageByPage) {
  EXPECT_EQ(Sweep(), 6) << "2,000 rows a partition: two full pages and the end";
  EXPECT_EQ(Owned("tenant = 'one' AND client_id = 'c-0000'"), 1);
  EXPECT_EQ(Owned("tenant = 'two' AND client_id = 'c-3999'"), 1);
  EXPECT_EQ(Owned("tenant IS NOT NULL"), 2);
  EXPECT_EQ(Sweep(), 0) << "nothing has changed since";
  resolver_.Change({{ClientId("c-0001"), TenantId("three")}});
  resolver_.Refresh();
  Sweep();
  EXPECT_EQ(Owned("tenant = 'three' AND client_id = 'c-0001'"), 1);
  EXPECT_EQ(Owned("tenant IS NOT NULL"), 1) << "who is no longer named belongs to nobody known";
}

TEST_F(OwnerSweepTest, WhatWasSweptIsRememberedInTheDatabase) {
  Sweep();
  Offsets stored;
  const auto rows = postgres::ListOffsets(connection_, kTopic);
  ASSERT_TRUE(rows);
  for (const auto& offset : *rows) stored[offset.partition] = offset;
  OwnerSweep restarted(resolver_, pool_, kTopic);
  EXPECT_FALSE(*restarted.Step(stored)) << "a restart sweeps nothing that is as it should be";
}

TEST_F(OwnerSweepTest, TouchesNothingOfAPartitionThatAnotherProcessOwnsByNow) {
  postgres::Must(connection_.Execute("UPDATE kafka_offsets SET next_offset = 5"));
  EXPECT_FALSE(*sweep_.Step(offsets_));
  EXPECT_EQ(Owned("tenant IS NOT NULL"), 0);
}

}  // namespace
}  // namespace heliograph::recorder
