#include "kafka/topics.h"

#include <gtest/gtest.h>

namespace heliograph::kafka {
namespace {

const TopicPlan kPlan = {
    .spec = {"device.control", 3, 3}, .keep_for_ever = true, .max_message_bytes = 1'114'112};

TopicState Fitting() {
  return TopicState{.partitions = 3,
                    .replicas = 3,
                    .settings = {{"min.insync.replicas", "2"},
                                 {"message.timestamp.type", "LogAppendTime"},
                                 {"max.message.bytes", "1114112"},
                                 {"cleanup.policy", "delete"},
                                 {"retention.ms", "-1"},
                                 {"retention.bytes", "-1"}}};
}

TEST(TopicSettings, FollowTheReplicas) {
  TopicPlan plan = kPlan;
  EXPECT_EQ(TopicSettings(plan).at("min.insync.replicas"), "2");
  plan.spec.replicas = 2;
  EXPECT_EQ(TopicSettings(plan).at("min.insync.replicas"), "1")
      << "2 would stop everything when one broker is away";
  plan.spec.replicas = 1;
  EXPECT_EQ(TopicSettings(plan).at("min.insync.replicas"), "1");
}

TEST(TopicSettings, KeepForEverOnlyWhereAsked) {
  TopicPlan plan = kPlan;
  EXPECT_EQ(TopicSettings(plan).at("retention.ms"), "-1");
  plan.keep_for_ever = false;
  EXPECT_FALSE(TopicSettings(plan).contains("retention.ms"));
}

TEST(TopicSettings, FitTheTopicThatTheyMake) {
  for (const int replicas : {1, 2, 3, 5}) {
    TopicPlan plan = kPlan;
    plan.spec.replicas = replicas;
    const TopicState made{.partitions = 3, .replicas = replicas, .settings = TopicSettings(plan)};
    const TopicFindings findings = CompareTopic(plan, made);
    EXPECT_TRUE(findings.faults.empty()) << replicas;
    EXPECT_TRUE(findings.warnings.empty()) << replicas;
  }
}

TEST(CompareTopic, TellsFaultsFromWarnings) {
  struct Case {
    const char* why;
    const char* setting;
    const char* value;
    std::size_t faults;
    std::size_t warnings;
  };
  const Case cases[] = {
      {"a producer's clock could be refused", "message.timestamp.type", "CreateTime", 1, 0},
      {"the largest packet does not fit", "max.message.bytes", "1048588", 1, 0},
      {"more than we need fits, too", "max.message.bytes", "99999999", 0, 0},
      {"all but the last record of a device would go", "cleanup.policy", "compact", 1, 0},
      {"likewise", "cleanup.policy", "compact,delete", 1, 0},
      {"one broker's loss would lose records", "min.insync.replicas", "1", 0, 1},
      {"it could never take a record", "min.insync.replicas", "4", 1, 0},
      {"a site may shorten it, but should know", "retention.ms", "604800000", 0, 1},
      {"likewise", "retention.bytes", "1000", 0, 1},
  };
  for (const Case& test : cases) {
    TopicState state = Fitting();
    state.settings[test.setting] = test.value;
    const TopicFindings findings = CompareTopic(kPlan, state);
    EXPECT_EQ(findings.faults.size(), test.faults) << test.why;
    EXPECT_EQ(findings.warnings.size(), test.warnings) << test.why;
  }
}

TEST(CompareTopic, ReportsAnotherShape) {
  TopicState state = Fitting();
  state.partitions = 6;
  state.replicas = 4;
  const TopicFindings findings = CompareTopic(kPlan, state);
  EXPECT_TRUE(findings.faults.empty());
  ASSERT_EQ(findings.warnings.size(), 2U);
  EXPECT_NE(findings.warnings[0].find("6 partitions, configured are 3"), std::string::npos);
}

TEST(CreationWarning, IsForTwoReplicasOnly) {
  TopicPlan plan = kPlan;
  EXPECT_EQ(CreationWarning(plan), "");
  plan.spec.replicas = 2;
  EXPECT_NE(CreationWarning(plan), "");
  plan.spec.replicas = 1;
  EXPECT_EQ(CreationWarning(plan), "") << "one replica promises nothing";
}

}  // namespace
}  // namespace heliograph::kafka
