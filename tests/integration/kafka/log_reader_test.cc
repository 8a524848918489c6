#include "kafka/log_reader.h"

#include <gtest/gtest.h>

#include "integration/kafka/support.h"

namespace heliograph::kafka {
namespace {

using std::chrono::seconds;

class LogReaderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    test::Sender sender(test::RealCluster());
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(sender.Send(partition_.topic, "k", std::to_string(i)));
    ASSERT_TRUE(sender.Flush());
  }

  const TopicPartition partition_{test::NewTopic(2), 0};
  LogReader reader_{test::RealCluster(), "test-log-reader"};
};

TEST_F(LogReaderTest, ReadsOneRecord) {
  const auto partition = [&] {  // the key decides, so look where the records are
    const auto ends = reader_.QueryWatermarks(partition_, seconds(10));
    return TopicPartition{partition_.topic, ends->end == 5 ? 0 : 1};
  }();
  for (const std::int64_t offset : {3, 0, 4}) {
    const auto record = reader_.ReadOne(partition, offset, seconds(10));
    ASSERT_TRUE(record) << record.error().message;
    ASSERT_TRUE(record->has_value());
    EXPECT_EQ((*record)->offset(), offset);
    EXPECT_EQ((*record)->payload(), std::to_string(offset));
  }
  for (const std::int64_t offset : {5, 99}) {
    const auto record = reader_.ReadOne(partition, offset, seconds(10));
    ASSERT_TRUE(record) << record.error().message;
    EXPECT_FALSE(record->has_value()) << offset;
  }
  const auto other = reader_.ReadOne({partition.topic, 1 - partition.partition}, 0, seconds(10));
  ASSERT_TRUE(other) << other.error().message;
  EXPECT_FALSE(other->has_value()) << "an empty partition";
}

TEST_F(LogReaderTest, CountsPartitions) {
  EXPECT_EQ(*reader_.PartitionCount(partition_.topic, seconds(10)), 2);
  const auto missing = reader_.PartitionCount(test::NewName("missing"), seconds(10));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, base::ErrorCode::kNotFound);
}

TEST_F(LogReaderTest, SaysThatAnOffsetIsGone) {
  ASSERT_TRUE(reader_.Start(partition_, 1000));
  base::Result<std::vector<ConsumedRecord>> records = std::vector<ConsumedRecord>();
  test::WaitFor([&] {
    records = reader_.Next(10, std::chrono::milliseconds(100));
    return !records;
  });
  ASSERT_FALSE(records);
  EXPECT_EQ(records.error().code, base::ErrorCode::kNotFound);
}

}  // namespace
}  // namespace heliograph::kafka
