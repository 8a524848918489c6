#include "recorder/owner_sweep.h"

#include <gtest/gtest.h>

#include <thread>

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

  // Until all are settled, or it has been tried often enough.
  void Settle() {
    for (int i = 0; i < 100 && (unsettled_.Has(0) || unsettled_.Has(1)); ++i) {
      const auto settled = unsettled_.Step(offsets_);
      if (!settled) throw std::runtime_error(settled.error().message);
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }

  Offsets Stored() {
    Offsets stored;
    const auto rows = postgres::ListOffsets(connection_, kTopic);
    if (!rows) throw std::runtime_error(rows.error().message);
    for (const auto& offset : *rows) stored[offset.partition] = offset;
    return stored;
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
  metrics::Registry metrics_;
  UnsettledOwners unsettled_{resolver_, pool_, kTopic, metrics_};
  OwnerSweep sweep_{resolver_, pool_, kTopic, unsettled_};
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
  OwnerSweep restarted(resolver_, pool_, kTopic, unsettled_);
  EXPECT_FALSE(*restarted.Step(Stored())) << "a restart sweeps nothing that is as it should be";
}

TEST_F(OwnerSweepTest, TouchesNothingOfAPartitionThatAnotherProcessOwnsByNow) {
  postgres::Must(connection_.Execute("UPDATE kafka_offsets SET next_offset = 5"));
  EXPECT_FALSE(*sweep_.Step(offsets_));
  EXPECT_EQ(Owned("tenant IS NOT NULL"), 0);
}

TEST_F(OwnerSweepTest, WhoseOwnerCannotBeToldKeepsHisUntilItCan) {
  Sweep();
  resolver_.Change(
      {{ClientId("c-0000"), TenantId("other")}, {ClientId("c-3999"), TenantId("two")}});
  resolver_.Refresh();
  resolver_.Hide(true);
  Sweep();
  EXPECT_EQ(Owned("tenant = 'one' AND client_id = 'c-0000'"), 1) << "no answer is no answer";
  EXPECT_EQ(Owned("tenant IS NOT NULL"), 2);
  EXPECT_TRUE(unsettled_.Has(0) && unsettled_.Has(1));
  const std::string noted = Stored().at(0).owner_rules;
  EXPECT_NE(noted, resolver_.Revision()) << "the next process would ask nobody again";
  resolver_.Hide(false);
  Settle();
  EXPECT_EQ(Owned("tenant = 'other' AND client_id = 'c-0000'"), 1);
  EXPECT_EQ(Owned("tenant IS NOT NULL"), 2);
  Sweep();
  for (const std::int32_t partition : {0, 1}) {
    EXPECT_FALSE(unsettled_.Has(partition));
    Sweep();
    EXPECT_EQ(Stored().at(partition).owner_rules, resolver_.Revision()) << "now it is done";
  }
}

TEST_F(OwnerSweepTest, WhoHasNoOwnerIsAskedAboutAgainAndAgain) {
  resolver_.Retry(std::chrono::milliseconds(0));
  Sweep();
  postgres::Must(connection_.Execute("UPDATE connections SET tenant = NULL"));
  postgres::Must(
      connection_.Execute("UPDATE connections SET tenant = 'kept' WHERE client_id = 'c-0001'"));
  for (int i = 0; i < 20 && Owned("tenant = 'one'") + Owned("tenant = 'two'") < 2; ++i) Sweep();
  EXPECT_EQ(Owned("tenant = 'one' AND client_id = 'c-0000'"), 1);
  EXPECT_EQ(Owned("tenant = 'two' AND client_id = 'c-3999'"), 1);
  EXPECT_EQ(Owned("tenant = 'kept'"), 1) << "who has one is not looked at";
}

TEST_F(OwnerSweepTest, AChangeUnderWayMakesAnotherRoundAndNoneIsLeftOut) {
  ASSERT_TRUE(*sweep_.Step(offsets_)) << "the first page";
  resolver_.Change(
      {{ClientId("c-0002"), TenantId("late")}, {ClientId("c-3998"), TenantId("late")}});
  resolver_.Refresh();
  Sweep();
  EXPECT_EQ(Owned("tenant = 'late'"), 2);
  EXPECT_EQ(Owned("tenant IS NOT NULL"), 2);
  EXPECT_EQ(Stored().at(0).owner_rules, resolver_.Revision());
}

TEST_F(OwnerSweepTest, NothingIsSettledInAPartitionThatAnotherProcessOwnsByNow) {
  resolver_.Hide(true);
  Sweep();
  resolver_.Hide(false);
  postgres::Must(connection_.Execute("UPDATE kafka_offsets SET next_offset = 5"));
  EXPECT_TRUE(unsettled_.Step(offsets_));
  EXPECT_EQ(Owned("tenant IS NOT NULL"), 0);
  unsettled_.GiveUp(0);
  EXPECT_FALSE(unsettled_.Has(0));
  EXPECT_TRUE(unsettled_.Has(1));
}

TEST_F(OwnerSweepTest, WhoHasGoneToAnotherPartitionIsSettledThere) {
  unsettled_.Add(1, ClientId("c-0000"));
  unsettled_.Add(1, ClientId("c-3999"));
  unsettled_.Add(1, ClientId("c-3999"));
  Settle();
  EXPECT_EQ(Owned("tenant = 'two'"), 1);
  EXPECT_EQ(Owned("tenant = 'one'"), 0) << "its newest record is in partition 0";
  EXPECT_FALSE(unsettled_.Has(1));
}

}  // namespace
}  // namespace heliograph::recorder
