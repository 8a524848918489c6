// Events between commit and Kafka's confirmation, with a real Kafka and a real table.
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/uuid.h"
#include "integration/recorder/database.h"
#include "kafka/admin.h"
#include "kafka/log_reader.h"
#include "recorder/event_outbox.h"

namespace heliograph::recorder {
namespace {

using postgres::OutboxRow;
using std::chrono::seconds;

kafka::ClusterConfig Cluster() {
  const char* brokers = std::getenv("HELIOGRAPH_TEST_KAFKA");
  if (brokers == nullptr)
    throw std::runtime_error("HELIOGRAPH_TEST_KAFKA must name a broker; ./dev test sets it");
  kafka::ClusterConfig cluster;
  cluster.brokers = brokers;
  return cluster;
}

OutboxRow Row(std::int32_t partition, std::int64_t first, const std::string& events,
              std::int32_t generation = 1) {
  return {partition, generation, first, first + 1, events};
}

class OutboxTest : public testing::Test {
 protected:
  OutboxTest() : database_("outbox_test"), connection_(database_.Connect()) {
    kafka::Admin admin(Cluster(), "test");
    Must(admin.Create({{topic_, 1, 1}, false}, seconds(10)));
  }

  void Store(const std::vector<OutboxRow>& rows) {
    auto transaction = Begin(connection_);
    Must(postgres::AddToOutbox(transaction, rows));
    Must(transaction.Commit());
  }

  std::vector<std::string> Published(std::size_t count) {
    kafka::LogReader reader(Cluster(), "test");
    Must(reader.Start({topic_, 0}, 0));
    std::vector<std::string> events;
    const auto deadline = std::chrono::steady_clock::now() + seconds(20);
    while (events.size() < count && std::chrono::steady_clock::now() < deadline) {
      const auto records = reader.Next(100, std::chrono::milliseconds(200));
      if (!records) throw std::runtime_error(records.error().message);
      for (const auto& record : *records) {
        events.push_back(std::string(record.key()) + " " + std::string(record.payload()));
      }
    }
    return events;
  }

  const std::string topic_ = "test.events." + base::NewUuid();
  Database database_;
  postgres::Connection connection_;
  metrics::Registry metrics_;
  Publisher publisher_{Cluster(), "test", 1024 * 1024};
  EventOutbox outbox_{publisher_, topic_, metrics_};
};

TEST_F(OutboxTest, WhatIsConfirmedIsNotedAndNotInTheOutbox) {
  const std::vector<OutboxRow> rows{Row(0, 5, "a\t{\"n\":1}\nb\t{\"n\":2}\n"),
                                    Row(0, 7, "a\t{\"n\":3}\n")};
  Store(rows);
  outbox_.Publish(rows);
  EXPECT_GT(outbox_.bytes(), 0U);
  publisher_.Drain(seconds(20));
  EXPECT_EQ(Published(3), (std::vector<std::string>{"a {\"n\":1}", "b {\"n\":2}", "a {\"n\":3}"}));
  const auto confirmed = outbox_.Confirmed();
  ASSERT_EQ(confirmed.size(), 1U);
  EXPECT_EQ(confirmed.front().first_offset, 7) << "the last; all before it go with it";
  auto transaction = Begin(connection_);
  Must(postgres::NoteTold(transaction, confirmed));
  Must(transaction.Commit());
  outbox_.Noted(confirmed);
  EXPECT_TRUE(outbox_.Confirmed().empty());
  EXPECT_EQ(outbox_.bytes(), 0U);
  EXPECT_TRUE(postgres::ReadOutbox(connection_, 0)->empty());
}

TEST_F(OutboxTest, ANewOwnerPublishesWhatWasLeftBeforeItsOwn) {
  Store({Row(0, 9, "a\t2\n"), Row(0, 3, "a\t1\n"), Row(1, 1, "x\tother partition\n"),
         Row(0, 0, "a\t3\n", 2)});
  outbox_.Take(0, *postgres::ReadOutbox(connection_, 0));
  outbox_.Publish({Row(0, 4, "a\t4\n", 2)});
  publisher_.Drain(seconds(20));
  EXPECT_EQ(Published(4), (std::vector<std::string>{"a 1", "a 2", "a 3", "a 4"}))
      << "by generation, then offset";
}

TEST_F(OutboxTest, WhatIsNotedLeavesLaterRowsAndOtherPartitions) {
  Store({Row(0, 3, "a\t1\n"), Row(0, 9, "a\t2\n"), Row(0, 0, "a\t3\n", 2), Row(1, 1, "x\t1\n")});
  auto transaction = Begin(connection_);
  Must(postgres::NoteTold(transaction, {{0, 1, 9}}));
  Must(transaction.Commit());
  const auto left = postgres::ReadOutbox(connection_, 0);
  ASSERT_EQ(left->size(), 1U);
  EXPECT_EQ(left->front().generation, 2);
  EXPECT_EQ(postgres::ReadOutbox(connection_, 1)->size(), 1U);
}

TEST_F(OutboxTest, APartitionThatIsGivenUpIsNoLongerOurs) {
  outbox_.Publish({Row(0, 3, "a\t1\n"), Row(1, 3, "b\t1\n")});
  outbox_.GiveUp(0);
  publisher_.Drain(seconds(20));
  const auto confirmed = outbox_.Confirmed();
  ASSERT_EQ(confirmed.size(), 1U);
  EXPECT_EQ(confirmed.front().partition, 1)
      << "the next owner publishes and notes the rows of partition 0";
}

}  // namespace
}  // namespace heliograph::recorder
