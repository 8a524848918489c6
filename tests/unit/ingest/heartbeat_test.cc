#include "ingest/heartbeat.h"

#include <gtest/gtest.h>

namespace heliograph::ingest {
namespace {

TEST(Heartbeat, KnowsTheBrokersThatLoseWhatWaits) {
  EXPECT_FALSE(LosesWhatWaits("mosquitto version 2.0.11"));
  EXPECT_TRUE(LosesWhatWaits("mosquitto version 2.0.12"));
  EXPECT_TRUE(LosesWhatWaits("mosquitto version 2.0.22"));
  EXPECT_FALSE(LosesWhatWaits("mosquitto version 2.0.23"));
  EXPECT_FALSE(LosesWhatWaits("mosquitto version 2.1.12"));
  EXPECT_FALSE(LosesWhatWaits("mosquitto version 1.6.12"));
  EXPECT_FALSE(LosesWhatWaits("mosquitto version 2.0."));
  EXPECT_FALSE(LosesWhatWaits("another broker"));
}

}  // namespace
}  // namespace heliograph::ingest
