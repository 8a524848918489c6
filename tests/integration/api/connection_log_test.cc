#include "postgres/connection_log.h"

#include "events/event_reader.h"
#include "postgres/outbox_store.h"
#include "store_fixture.h"

namespace heliograph::postgres {
namespace {

using std::chrono::seconds;

std::string Lines(const std::string& client_id, std::int64_t first, std::int64_t last,
                  const std::string& json = "{}") {
  std::string lines;
  for (std::int64_t offset = first; offset <= last; ++offset) {
    AppendConnectionEvent(lines, {client_id, "acme", device::Change::kOnline, offset, json});
  }
  return lines;
}

class ConnectionLogTest : public StoreTest {
 protected:
  Pool::Lease Session() {
    return Must(pool_.Acquire(std::chrono::steady_clock::now() + seconds(5)));
  }
  void Add(Transaction& transaction, const std::vector<OutboxRow>& rows) {
    if (auto added = AddToOutbox(transaction, rows); !added) {
      throw std::runtime_error(added.error().message);
    }
  }
  void Store(const std::vector<OutboxRow>& rows) {
    auto session = Session();
    auto transaction = Must(Transaction::Begin(*session));
    Add(transaction, rows);
    ASSERT_TRUE(transaction.Commit());
  }
  void Tell(const std::vector<OutboxPlace>& places) {
    auto session = Session();
    auto transaction = Must(Transaction::Begin(*session));
    ASSERT_TRUE(NoteTold(transaction, places));
    ASSERT_TRUE(transaction.Commit());
  }
  // "a 0/5" for each change; goes on behind them.
  std::vector<std::string> Next(std::int64_t most_bytes = 1 << 20) {
    const auto read = Must(log_.Read(place_, Must(log_.Bounds()).end, most_bytes));
    place_ = read.up_to;
    more_ = read.more;
    std::vector<std::string> lines;
    for (const ConnectionChange& one : read.changes) {
      lines.push_back(one.client_id.str() + " " + std::to_string(one.place.partition) + "/" +
                      std::to_string(one.place.offset));
    }
    return lines;
  }
  // Everything is so many hours older than it is, as if the clock had gone on.
  void Age(int hours) {
    Run("UPDATE connection_log SET written_at = written_at - interval '" + std::to_string(hours) +
        " hours', segment = connection_log_segment(written_at - interval '" +
        std::to_string(hours) + " hours')");
  }

  using Strings = std::vector<std::string>;
  ConnectionLog log_{pool_, seconds(5)};
  ConnectionLogPlace place_;
  bool more_ = false;
};

TEST_F(ConnectionLogTest, ReadsEachChangeOnceFromAnyPlace) {
  Store({{1, 1, 5, 6, Lines("a", 5, 6)}, {0, 1, 9, 9, Lines("b", 9, 9)}});
  Store({{0, 1, 10, 10, Lines("c", 10, 10)}});
  EXPECT_EQ(Next(), (Strings{"b 0/9", "a 1/5", "a 1/6", "c 0/10"}));
  EXPECT_EQ(Next(), Strings());
  const auto all = Must(log_.Read({}, Must(log_.Bounds()).end, 1 << 20)).changes;
  place_ = all[1].place;
  EXPECT_EQ(Next(), (Strings{"a 1/6", "c 0/10"})) << "from the midst of a row";
  EXPECT_EQ(all[0].tenant, device::TenantId("acme"));
  EXPECT_EQ(all[0].json, "{}");
}

TEST_F(ConnectionLogTest, ReadsInPieces) {
  const std::string big = '"' + std::string(1000, 'x') + '"';
  for (int i = 0; i < 5; ++i) Store({{0, 1, i, i, Lines("a", i, i, big)}});
  EXPECT_EQ(Next(2500).size(), 2U);
  EXPECT_TRUE(more_);
  EXPECT_EQ(Next(1).size(), 1U) << "one, however large it is";
  EXPECT_EQ(Next().size(), 2U);
  EXPECT_FALSE(more_);
}

TEST_F(ConnectionLogTest, PassesNobodyWhoIsStillAtIt) {
  auto session = Session();
  auto transaction = Must(Transaction::Begin(*session));
  Add(transaction, {{0, 1, 1, 1, Lines("slow", 1, 1)}});
  Store({{1, 1, 1, 1, Lines("fast", 1, 1)}});
  EXPECT_EQ(Next(), Strings());
  ASSERT_TRUE(transaction.Commit());
  EXPECT_EQ(Next(), (Strings{"slow 0/1", "fast 1/1"}));
}

TEST_F(ConnectionLogTest, WhatKafkaWasNotToldIsFoundByPartition) {
  Run("INSERT INTO kafka_offsets (topic, partition, next_offset) VALUES ('c', 0, 1), ('c', 1, 1), "
      "('d', 0, 1)");
  Store({{0, 1, 3, 3, "x\t1\n"}, {0, 2, 0, 0, "x\t2\n"}, {1, 1, 7, 7, "x\t3\n"}});
  auto session = Session();
  const auto oldest = [&] { return Must(OldestInOutbox(*session)); };
  ASSERT_EQ(oldest().size(), 2U);
  EXPECT_EQ(oldest()[0].first_offset, 3);
  Tell({{0, 1, 3}});
  EXPECT_EQ(oldest()[0].generation, 2);
  Tell({{0, 2, 0}, {1, 1, 7}});
  Tell({{0, 1, 3}});  // somebody who is late
  EXPECT_TRUE(oldest().empty());
  EXPECT_TRUE(Must(ReadOutbox(*session, 0)).empty());
  EXPECT_EQ(One("SELECT count(*) FROM connection_events_outbox"), "0");
}

TEST_F(ConnectionLogTest, ForgetsASegmentThatIsOldAndTold) {
  Run("INSERT INTO kafka_offsets (topic, partition, next_offset) VALUES ('c', 0, 1)");
  Store({{0, 1, 1, 1, Lines("old", 1, 1)}});
  const std::string xid = One("SELECT xid FROM connection_log");
  EXPECT_FALSE(Must(log_.Forget())) << "of today";
  Age(32);
  EXPECT_FALSE(Must(log_.Forget())) << "nobody was told";
  Tell({{0, 1, 1}});
  Store({{0, 1, 2, 2, Lines("new", 2, 2)}});
  EXPECT_EQ(Must(log_.Bounds()).connections_forgotten, 0U);
  EXPECT_TRUE(Must(log_.Forget()));
  EXPECT_EQ(std::to_string(Must(log_.Bounds()).connections_forgotten), xid);
  EXPECT_EQ(Next(), Strings{"new 0/2"});
  EXPECT_FALSE(Must(log_.Forget()));
}

TEST_F(ConnectionLogTest, KeepsWhatIsYoungerThanADay) {
  Run("INSERT INTO kafka_offsets (topic, partition, next_offset) VALUES ('c', 0, 1)");
  for (const int hours : {8, 8, 7}) {
    Store({{0, 1, 1, 1, Lines("a", 1, 1)}});
    Tell({{0, 1, 1}});
    Age(hours);
  }
  const std::string rows = One("SELECT count(*) FROM connection_log");
  EXPECT_FALSE(Must(log_.Forget()));
  EXPECT_EQ(One("SELECT count(*) FROM connection_log"), rows);
}

TEST_F(ConnectionLogTest, DoesNotWaitLongForWhoReads) {
  Run("INSERT INTO kafka_offsets (topic, partition, next_offset) VALUES ('c', 0, 1)");
  Store({{0, 1, 1, 1, Lines("old", 1, 1)}});
  Tell({{0, 1, 1}});
  Age(32);
  auto session = Session();
  auto reads = Must(Transaction::Begin(*session));
  Must(reads.Execute("SELECT count(*) FROM connection_log"));
  const auto forgotten = log_.Forget();
  ASSERT_FALSE(forgotten);
  EXPECT_TRUE(base::IsRetriable(forgotten.error().code)) << forgotten.error().message;
  reads.Rollback();
  EXPECT_TRUE(Must(log_.Forget()));
}

TEST_F(ConnectionLogTest, IsReadTogetherWithTheTargetsInOneOrder) {
  metrics::Registry metrics;
  TargetLog targets(pool_, seconds(5));
  events::EventReader reader(targets, log_, metrics);
  const events::EventPlace begin = Must(reader.Look()).end;
  for (int i = 1; i <= 4; ++i) {
    Store({{0, 1, i, i, Lines("a", i, i)}});
    Run("INSERT INTO target_log (changed_at, action_id, client_id, status) VALUES (now(), "
        "gen_random_uuid(), 'a', 'running')");
  }
  const auto read = [&](const events::EventPlace& after, events::Wanted wanted,
                        events::EventReader::Most most) {
    return Must(reader.Read(after, wanted, most));
  };
  const auto all = read(begin, {true, true}, {100, 1 << 20});
  ASSERT_EQ(all.changes.size(), 8U);
  EXPECT_FALSE(all.more);
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(events::IsOfAction(all.changes[i].type()), i % 2 == 1) << i;
    const auto rest = read(all.changes[i].place, {true, true}, {100, 1 << 20});
    EXPECT_EQ(rest.changes.size(), 7 - i) << "one id tells the place in both";
  }
  EXPECT_EQ(read(begin, {false, true}, {100, 1 << 20}).changes.size(), 4U);
  EXPECT_EQ(read(begin, {true, false}, {100, 1 << 20}).changes.size(), 4U);
  // In pages, of which either log may be what ends them.
  for (const auto most : {events::EventReader::Most{1, 1 << 20}, {100, 1}, {2, 60}}) {
    events::EventPlace at = begin;
    std::vector<events::EventPlace> places;
    for (bool more = true; more;) {
      const auto page = read(at, {true, true}, most);
      for (const events::Change& one : page.changes) places.push_back(one.place);
      at = page.up_to;
      more = page.more;
    }
    ASSERT_EQ(places.size(), 8U);
    for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(places[i], all.changes[i].place);
  }
}

}  // namespace
}  // namespace heliograph::postgres
