#include "base/health.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace heliograph::base {
namespace {

TEST(Health, IsReadyWhenAllAreAndThereIsOne) {
  Health health;
  EXPECT_FALSE(health.ready()) << "nothing has said that it is ready";
  health.SetNotReady("kafka", "connecting");
  EXPECT_FALSE(health.ready());
  health.SetReady("mqtt");
  EXPECT_FALSE(health.ready()) << "one is not";
  health.SetReady("kafka");
  EXPECT_TRUE(health.ready());
  health.SetNotReady("mqtt", "the broker is away");
  EXPECT_FALSE(health.ready());
}

TEST(Health, TellsTheReasonOfEach) {
  Health health;
  health.SetNotReady("mqtt", "the broker is away");
  health.SetReady("kafka");
  const auto all = health.Snapshot();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_FALSE(all.at("mqtt").ready);
  EXPECT_EQ(all.at("mqtt").reason, "the broker is away");
  EXPECT_TRUE(all.at("kafka").ready);
  EXPECT_EQ(all.at("kafka").reason, "");
  health.SetReady("mqtt");
  EXPECT_EQ(health.Snapshot().at("mqtt").reason, "") << "the reason goes with the state";
}

TEST(Health, WhatIsDegradedIsReadyAndSaysWhy) {
  std::vector<std::string> told;
  Health health([&](const std::string& dependency, const std::string& reason) {
    told.push_back(dependency + ":" + reason);
  });
  health.SetReady("owners");
  health.SetDegraded("owners", "the service is away");
  EXPECT_TRUE(health.ready());
  EXPECT_EQ(health.Snapshot().at("owners").reason, "the service is away");
  EXPECT_TRUE(told.empty()) << "it was ready all the time";
  health.SetNotReady("owners", "gone");
  health.SetDegraded("owners", "half back");
  EXPECT_EQ(told, (std::vector<std::string>{"owners:gone", "owners:"})) << "it is ready again";
  health.SetReady("owners");
  EXPECT_EQ(health.Snapshot().at("owners").reason, "");
}

TEST(Health, TellsChangesOnce) {
  std::vector<std::string> told;
  Health health([&](const std::string& dependency, const std::string& reason) {
    told.push_back(dependency + ":" + reason);
  });
  health.SetNotReady("kafka", "not asked yet");
  health.SetReady("kafka");
  EXPECT_TRUE(told.empty()) << "a start is no change";
  health.SetReady("kafka");
  health.SetNotReady("kafka", "away");
  health.SetNotReady("kafka", "still away");
  health.SetReady("kafka");
  EXPECT_EQ(told, (std::vector<std::string>{"kafka:away", "kafka:"}));
}

}  // namespace
}  // namespace heliograph::base
