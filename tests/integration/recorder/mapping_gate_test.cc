#include "recorder/mapping_gate.h"

#include <gtest/gtest.h>

namespace heliograph::recorder {
namespace {

// The gate itself: no question is asked here. Not among the unit tests, since the threads that
// librdkafka starts by C11 are more than the thread sanitizer knows.
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
