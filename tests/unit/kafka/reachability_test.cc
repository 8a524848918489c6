#include <gtest/gtest.h>

#include "kafka/client.h"

namespace heliograph::kafka {
namespace {

constexpr auto kUp =
    R"({"brokers":{"a:9092/1":{"name":"a:9092/1","state":"UP","waitresp_cnt":1,"rxidle":400000},)"
    R"("b":{"state":"DOWN","waitresp_cnt":0,"rxidle":-1}}})";
constexpr auto kUpAndIdle =
    R"({"brokers":{"a:9092/1":{"state":"UP","waitresp_cnt":0,"rxidle":60000000}}})";
constexpr auto kSilent =
    R"({"brokers":{"a:9092/1":{"state":"UP","waitresp_cnt":1,"rxidle":6500000},)"
    R"("a:9092/bootstrap":{"state":"UP","waitresp_cnt":0,"rxidle":-1}}})";
constexpr auto kDown = R"({"brokers":{"a:9092/1":{"state":"CONNECT"}},"cgrp":{"state":"up"}})";

TEST(Reachability, IsNotClaimedBeforeABrokerAnswered) {
  const Reachability reachability;
  EXPECT_EQ(reachability.Reason(), "no broker has answered yet");
}

TEST(Reachability, RecoversByStatistics) {
  Reachability reachability;
  reachability.OnStatistics(kUp);
  EXPECT_EQ(reachability.Reason(), "");
  reachability.OnError(RD_KAFKA_RESP_ERR__TRANSPORT, "a:9092/1: Connection refused");
  EXPECT_EQ(reachability.Reason(), "") << "one broker of several";
  reachability.OnError(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "2/2 brokers are down");
  EXPECT_EQ(reachability.Reason(), "a:9092/1: Connection refused") << "the cause, not the count";
  reachability.OnStatistics(kUp);
  EXPECT_EQ(reachability.Reason(), "");
}

TEST(Reachability, AMomentWithoutAConnectionIsNoOutage) {
  Reachability reachability;
  reachability.OnStatistics(kUp);
  for (int i = 0; i < 3; ++i) {
    reachability.OnStatistics(kDown);
    EXPECT_EQ(reachability.Reason(), "") << i;
  }
  reachability.OnStatistics(kDown);
  EXPECT_NE(reachability.Reason(), "") << "a silent broker shows by its state only";
}

TEST(Reachability, ABrokerThatDoesNotAnswerIsAway) {
  Reachability reachability;
  reachability.OnStatistics(kUp);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(reachability.Reason(), "") << i;
    reachability.OnStatistics(kSilent);
  }
  EXPECT_EQ(reachability.Reason(), "the brokers accept connections, but do not answer");
  reachability.OnStatistics(kUpAndIdle);
  EXPECT_NE(reachability.Reason(), "") << "connected again, and nothing has come yet";
  reachability.OnStatistics(kUp);
  EXPECT_EQ(reachability.Reason(), "");
}

TEST(Reachability, ABrokerThatIsAskedNothingIsNotSilent) {
  Reachability reachability;
  reachability.OnStatistics(kUp);
  for (int i = 0; i < 20; ++i) reachability.OnStatistics(kUpAndIdle);
  EXPECT_EQ(reachability.Reason(), "");
}

TEST(Reachability, AnAnswerCountsOnlyBeforeAnythingIsKnown) {
  Reachability fresh;
  fresh.OnAnswer();
  EXPECT_EQ(fresh.Reason(), "");
  Reachability gone;
  gone.OnError(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "1/1 brokers are down");
  gone.OnAnswer();
  EXPECT_NE(gone.Reason(), "") << "what is handed out now may have come before the outage";
}

}  // namespace
}  // namespace heliograph::kafka
