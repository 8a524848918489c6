#include "kafka/partitions.h"

#include <gtest/gtest.h>

namespace heliograph::kafka {
namespace {

// murmur2 of these keys is in Kafka's own UtilsTest.testMurmur2; Java's default partitioner takes
// its lower 31 bits modulo the number of partitions.
TEST(PartitionOf, IsThatOfJavasProducers) {
  struct Case {
    const char* key;
    std::int32_t murmur2;
  };
  const Case cases[] = {
      {"21", -973932308},
      {"foobar", -790332482},
      {"a-little-bit-long-string", -985981536},
      {"a-little-bit-longer-string", -1486304829},
      {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
      {"abc", 479470107},
  };
  for (const Case& test : cases) {
    for (const std::int32_t count : {1, 2, 3, 6, 7, 9, 50}) {
      EXPECT_EQ(PartitionOf(test.key, count), (test.murmur2 & 0x7fffffff) % count) << test.key;
    }
  }
}

TEST(SteadyCount, ChangesWhenItWasToldTwiceInARow) {
  struct Case {
    int told;
    int count;
    const char* why;
  };
  const Case cases[] = {
      {3, 3, "the first that is known"},
      {6, 3, "one broker may be ahead of the others"},
      {3, 3, "and another one behind"},
      {6, 3, "begins anew"},
      {6, 6, "twice"},
      {9, 6, "grows again"},
      {9, 9, "twice"},
      {2, 9, "another topic of the same name"},
      {2, 2, "twice"},
  };
  SteadyCount count;
  for (const Case& test : cases) {
    const int before = count.count();
    EXPECT_EQ(count.Tell(test.told), before != test.count) << test.why;
    EXPECT_EQ(count.count(), test.count) << test.why;
  }
}

}  // namespace
}  // namespace heliograph::kafka
