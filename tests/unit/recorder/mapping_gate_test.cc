#include "recorder/mapping_gate.h"

#include <gtest/gtest.h>

namespace heliograph::recorder {
namespace {

postgres::LogOffset Row(std::int64_t next_offset, std::int32_t mapping,
                        std::int32_t generation = 1) {
  postgres::LogOffset row;
  row.partition = 1;
  row.generation = generation;
  row.next_offset = next_offset;
  row.mapping = mapping;
  return row;
}

postgres::OutboxPlace Event(std::int64_t first_offset, std::int32_t generation = 1) {
  return {.partition = 1, .generation = generation, .first_offset = first_offset};
}

// Asked by a record that was sent by 5 partitions; the neighbour's log reaches from 10 to 20.
TEST(HasAllBefore, IsAppliedAndTold) {
  struct Case {
    Neighbour neighbour;
    bool expected;
    const char* why;
  };
  const kafka::Watermarks log{10, 20};
  const Case cases[] = {
      {{std::nullopt, log, std::nullopt}, false, "nobody has begun to read it"},
      {{std::nullopt, {0, 0}, std::nullopt}, true, "it has never had a record"},
      {{std::nullopt, {20, 20}, std::nullopt}, true, "it has none any more"},
      {{Row(19, 3), log, std::nullopt}, false, "one is not applied"},
      {{Row(20, 3), log, std::nullopt}, true, "all are applied"},
      {{Row(25, 3), log, std::nullopt}, true, "and more that came after the question"},
      {{Row(12, 5), log, std::nullopt}, true, "it stands at the same gate"},
      {{Row(12, 9), log, std::nullopt}, true, "it stands at a later one"},
      {{Row(20, 3), log, Event(19)}, false, "an event is not told"},
      {{Row(25, 3), log, Event(20)}, true, "one of what came after the question"},
      {{Row(25, 3, 2), log, Event(99, 1)}, false, "one of the log that had the name before"},
      {{Row(12, 5), log, Event(11)}, true, "who stands at a gate has told all: this is of later"},
  };
  for (const Case& test : cases)
    EXPECT_EQ(HasAllBefore(5, test.neighbour), test.expected) << test.why;
}

// The gate itself: no question is asked here.
TEST(MappingGate, StopsWhatWasSentByMorePartitionsAndAllBehindIt) {
  struct Case {
    std::int32_t partition;
    std::uint64_t epoch;
    std::int32_t mapping;
    bool stops;
    const char* why;
  };
  const Case cases[] = {
      {0, 1, 0, false, "does not say"},
      {0, 1, 3, true, "the first that says: nobody knows what was before"},
      {0, 1, 3, true, "behind it"},
      {0, 1, 0, true, "behind it, whatever it is"},
      {1, 2, 0, false, "another partition has its own gate"},
      {0, 3, 0, false, "begins anew"},
      {0, 3, 5, true, "and asks again"},
  };
  kafka::ClusterConfig cluster;
  cluster.brokers = "127.0.0.1:1";
  kafka::LogReader reader(cluster, "test");
  postgres::Pool pool(postgres::Config(), "test");
  MappingGate gate("device.control", reader, pool);
  for (const Case& test : cases) {
    EXPECT_EQ(gate.Stops(test.partition, test.epoch, test.mapping), test.stops) << test.why;
  }
}

}  // namespace
}  // namespace heliograph::recorder
