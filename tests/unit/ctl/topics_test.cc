#include "ctl/topics.h"

#include <gtest/gtest.h>

namespace heliograph::ctl {
namespace {

TEST(PlansOf, TheDefaultsAreTheDaemons) {
  const auto plans = PlansOf({});
  ASSERT_TRUE(plans);
  ASSERT_EQ(plans->size(), 4u);
  EXPECT_EQ(plans->front().spec.name, "device.control");
  EXPECT_EQ(plans->front().spec.partitions, 3);
  EXPECT_EQ(plans->front().spec.replicas, 2);
  EXPECT_TRUE(plans->front().keep_for_ever) << "the state is rebuilt from it";
  EXPECT_FALSE(plans->back().keep_for_ever);
}

TEST(PlansOf, WhateverTheBrokerLetsInFitsIntoKafka) {
  TopicsOptions options;
  options.max_packet_bytes = 2000;
  EXPECT_EQ(PlansOf(options)->front().max_message_bytes, 2000u + 65536u);
}

TEST(PlansOf, AnotherTopicMayBeTheOneToKeep) {
  TopicsOptions options;
  options.topics = {"site.control:6:3", "device.control:1:1"};
  options.keep = "site.control";
  const auto plans = PlansOf(options);
  ASSERT_TRUE(plans);
  EXPECT_TRUE((*plans)[0].keep_for_ever);
  EXPECT_FALSE((*plans)[1].keep_for_ever);
}

TEST(PlansOf, RefusesWhatIsNoTopic) {
  for (const std::vector<std::string>& topics : {std::vector<std::string>{"device.control"},
                                                 {"a:0:1"},
                                                 {"a:1:0"},
                                                 {":1:1"},
                                                 {"a:1:1", "a:2:1"}}) {
    TopicsOptions options;
    options.topics = topics;
    EXPECT_FALSE(PlansOf(options)) << topics.front();
  }
}

TEST(KafkaOptions, RefusesWhatIsNoProperty) {
  for (const char* property : {"security.protocol", "=x", "no.such.property=1"}) {
    KafkaOptions options;
    options.properties = {property};
    const auto config = options.ToConfig();
    ASSERT_FALSE(config) << property;
    EXPECT_EQ(config.error().code, base::ErrorCode::kInvalidArgument);
  }
  KafkaOptions options;
  options.properties = {"security.protocol=ssl"};
  EXPECT_TRUE(options.ToConfig());
}

}  // namespace
}  // namespace heliograph::ctl
