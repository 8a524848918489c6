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

}  // namespace
}  // namespace heliograph::recorder
