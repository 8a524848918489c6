#include "kafka/admin.h"

#include <gtest/gtest.h>

#include "integration/kafka/support.h"

namespace heliograph::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class AdminTest : public ::testing::Test {
 protected:
  base::Result<TopicReport> Ensure(const TopicPlan& plan,
                                   MissingTopics missing = MissingTopics::kCreate) {
    return EnsureTopics(admin_, std::span(&plan, 1), missing, seconds(10));
  }

  const TopicPlan plan_{.spec = {test::NewName("ensure"), 3, 1},
                        .keep_for_ever = true,
                        .max_message_bytes = 2'000'000};
  Admin admin_{test::RealCluster(), "test-admin"};
};

TEST_F(AdminTest, CreatesWhatIsMissingOnce) {
  const auto first = Ensure(plan_);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->created, std::vector{plan_.spec.name});
  EXPECT_TRUE(first->findings.faults.empty());
  EXPECT_TRUE(first->findings.warnings.empty());
  const auto again = Ensure(plan_);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->created.empty());
}

TEST_F(AdminTest, CreatesWithOurSettings) {
  ASSERT_TRUE(Ensure(plan_));
  const auto state = admin_.Describe(plan_.spec.name, seconds(10));
  ASSERT_TRUE(state) << state.error().message;
  ASSERT_TRUE(state->has_value());
  EXPECT_EQ((*state)->partitions, 3);
  EXPECT_EQ((*state)->replicas, 1);
  EXPECT_EQ((*state)->settings.at("message.timestamp.type"), "LogAppendTime");
  EXPECT_EQ((*state)->settings.at("retention.ms"), "-1");
  EXPECT_EQ((*state)->settings.at("max.message.bytes"), "2000000");
}

TEST_F(AdminTest, LeavesAnotherShapeAsItIs) {
  ASSERT_TRUE(Ensure(plan_));
  TopicPlan larger = plan_;
  larger.spec.partitions = 5;
  larger.max_message_bytes = 3'000'000;
  const auto report = Ensure(larger);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->findings.warnings.size(), 1U) << "partitions";
  EXPECT_EQ(report->findings.faults.size(), 1U) << "a packet that would not fit";
  EXPECT_EQ((*admin_.Describe(plan_.spec.name, seconds(10)))->partitions, 3);
}

TEST_F(AdminTest, ReportsWhatIsMissing) {
  const auto report = Ensure(plan_, MissingTopics::kReport);
  ASSERT_TRUE(report);
  ASSERT_EQ(report->findings.faults.size(), 1U);
  EXPECT_FALSE((*admin_.Describe(plan_.spec.name, seconds(10))).has_value())
      << "not created by asking";
}

TEST_F(AdminTest, TellsWhyATopicCannotBeCreated) {
  TopicPlan plan = plan_;
  plan.spec.replicas = 3;
  const auto report = Ensure(plan);
  ASSERT_FALSE(report) << "the test's Kafka has one node";
  EXPECT_EQ(report.error().code, base::ErrorCode::kInvalidArgument);
  EXPECT_NE(report.error().message.find(plan.spec.name), std::string::npos);
}

TEST(AdminAway, IsAnErrorThatMayPass) {
  ClusterConfig nowhere;
  nowhere.brokers = "127.0.0.1:1";
  Admin admin(nowhere, "test-admin");
  const auto state = admin.Describe("t", milliseconds(500));
  ASSERT_FALSE(state);
  EXPECT_TRUE(base::IsRetriable(state.error().code)) << state.error().message;
}

}  // namespace
}  // namespace heliograph::kafka
