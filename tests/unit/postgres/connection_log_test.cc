#include "postgres/connection_log.h"

#include <gtest/gtest.h>

namespace heliograph::postgres {
namespace {

TEST(ConnectionEvent, IsALineThatCanBeRead) {
  for (const auto change :
       {device::Change::kOnline, device::Change::kOffline, device::Change::kChanged}) {
    std::string lines;
    AppendConnectionEvent(lines, {"pv-1", "acme", change, 77, R"({"a":"b"})"});
    ASSERT_TRUE(lines.ends_with('\n'));
    const auto read = ReadConnectionEvent(std::string_view(lines).substr(0, lines.size() - 1));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->client_id, "pv-1");
    EXPECT_EQ(read->tenant, "acme");
    EXPECT_EQ(read->change, change);
    EXPECT_EQ(read->offset, 77);
    EXPECT_EQ(read->json, R"({"a":"b"})");
  }
  EXPECT_EQ(ReadConnectionEvent("pv-1\t\tonline\t0\t{}")->tenant, "") << "nobody's";
}

TEST(ConnectionEvent, OfBeforeHasNoMoreThanKafkaNeeds) {
  const auto read = ReadConnectionEvent("pv-1\t{}");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->client_id, "pv-1");
  EXPECT_EQ(read->json, "{}");
  EXPECT_EQ(read->change, device::Change::kNone);
  for (const char* line : {"", "pv-1", "a\tb\tonline\t{}", "a\tb\tasleep\t1\t{}",
                           "a\tb\tonline\tx\t{}", "a\tb\tonline\t1\t{}\t"}) {
    EXPECT_FALSE(ReadConnectionEvent(line)) << line;
  }
}

}  // namespace
}  // namespace heliograph::postgres
