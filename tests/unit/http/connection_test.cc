#include "http/connection.h"

#include <gtest/gtest.h>

#include <string>

namespace heliograph::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr char kGet[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

ConnectionLimits Limits() {
  ConnectionLimits limits;
  limits.request_timeout = seconds(10);
  limits.idle_timeout = seconds(60);
  limits.send_timeout = seconds(30);
  limits.linger_timeout = seconds(2);
  return limits;
}

class Conversation : public ::testing::Test {
 protected:
  void At(milliseconds since_start) {
    now_ = base::SteadyTime{} + since_start;
    connection_.Tick(now_);
  }
  void Say(const std::string& bytes) { connection_.Receive(bytes, now_); }
  void Answer(const std::string& bytes, bool close = false) {
    connection_.Answer(bytes, close, now_);
  }
  // The client takes everything.
  std::string Take() {
    std::string taken;
    while (!connection_.output().empty()) {
      taken += connection_.output();
      connection_.Sent(connection_.output().size(), now_);
    }
    return taken;
  }

  base::SteadyTime now_{};
  Connection connection_{Limits(), now_};
};

TEST_F(Conversation, OneRequestAtATime) {
  Say(std::string(kGet) + kGet);
  ASSERT_TRUE(connection_.TakeRequest().has_value());
  EXPECT_FALSE(connection_.TakeRequest().has_value());
  EXPECT_FALSE(connection_.wants_input()) << "what the client sends ahead stays in its socket";
  Answer("one");
  EXPECT_FALSE(connection_.TakeRequest().has_value()) << "the answer has not been taken";
  EXPECT_EQ(Take(), "one");
  EXPECT_TRUE(connection_.TakeRequest().has_value())
      << "now the second, although nothing was received since";
  Answer("two");
  EXPECT_EQ(Take(), "two");
  EXPECT_TRUE(connection_.wants_input());
  EXPECT_FALSE(connection_.busy());
}

TEST_F(Conversation, AnswersLeaveInPieces) {
  Say(kGet);
  ASSERT_TRUE(connection_.TakeRequest());
  Answer("answer");
  connection_.Sent(2, now_);
  EXPECT_EQ(connection_.output(), "swer");
  connection_.Sent(4, now_);
  EXPECT_EQ(connection_.output(), "");
}

TEST_F(Conversation, TheLastAnswerIsLingeredOver) {
  Say(std::string(kGet) + kGet);
  ASSERT_TRUE(connection_.TakeRequest());
  Answer("last", true);
  EXPECT_FALSE(connection_.TakeEndOfOutput());
  EXPECT_EQ(Take(), "last");
  EXPECT_TRUE(connection_.TakeEndOfOutput());
  EXPECT_FALSE(connection_.TakeEndOfOutput()) << "once";
  EXPECT_FALSE(connection_.TakeRequest()) << "what follows is not executed";
  EXPECT_TRUE(connection_.wants_input()) << "so that the client is not reset";
  Say("whatever");
  EXPECT_EQ(connection_.held_bytes(), Connection(Limits(), now_).held_bytes());
  EXPECT_FALSE(connection_.busy());
  At(milliseconds(1999));
  EXPECT_FALSE(connection_.finished());
  At(milliseconds(2000));
  EXPECT_TRUE(connection_.finished());
}

TEST_F(Conversation, EndsWithTheClient) {
  connection_.ReceiveEnd(now_);
  EXPECT_TRUE(connection_.finished());
}

TEST_F(Conversation, ANewClientHasTheTimeOfARequest) {
  At(milliseconds(9999));
  EXPECT_FALSE(connection_.finished());
  At(milliseconds(10000));
  EXPECT_TRUE(connection_.finished());
  EXPECT_EQ(connection_.TakeCause(), "");
}

TEST_F(Conversation, ARequestHasItsTimeFromTheFirstByte) {
  At(milliseconds(9000));
  Say("G");
  At(milliseconds(15000));
  Say("E");
  At(milliseconds(18999));
  EXPECT_EQ(connection_.output(), "");
  At(milliseconds(19000));
  EXPECT_TRUE(connection_.output().starts_with("HTTP/1.1 408 "));
  EXPECT_EQ(connection_.TakeCause(), "request-timeout");
  Take();
  EXPECT_TRUE(connection_.TakeEndOfOutput());
}

TEST_F(Conversation, BetweenRequestsItMayBeIdle) {
  Say(kGet);
  ASSERT_TRUE(connection_.TakeRequest());
  At(seconds(500));
  EXPECT_FALSE(connection_.finished()) << "the handler takes what it takes";
  Answer("x");
  Take();
  At(seconds(559));
  EXPECT_FALSE(connection_.finished());
  At(seconds(560));
  EXPECT_TRUE(connection_.finished());
}

TEST_F(Conversation, APipelinedRequestHasItsOwnTime) {
  Say(std::string(kGet) + "GET");
  ASSERT_TRUE(connection_.TakeRequest());
  At(seconds(100));
  Answer("x");
  Take();
  At(milliseconds(109999));
  EXPECT_EQ(connection_.output(), "");
  At(seconds(110));
  EXPECT_TRUE(connection_.output().starts_with("HTTP/1.1 408 "));
}

TEST_F(Conversation, AnAnswerMustBeTakenInTime) {
  Say(kGet);
  ASSERT_TRUE(connection_.TakeRequest());
  Answer("answer");
  At(seconds(29));
  connection_.Sent(1, now_);
  EXPECT_FALSE(connection_.finished());
  At(seconds(30));
  EXPECT_TRUE(connection_.finished()) << "a byte now and then does not help";
  EXPECT_EQ(connection_.TakeCause(), "slow-reader");
}

TEST_F(Conversation, DrainingEndsTheIdleOnly) {
  Connection idle(Limits(), now_);
  idle.Drain(now_);
  EXPECT_TRUE(idle.finished());

  Say("GET / ");
  connection_.Drain(now_);
  EXPECT_FALSE(connection_.finished());
  EXPECT_TRUE(connection_.busy());
  Say("HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(connection_.TakeRequest());
  connection_.Drain(now_);
  EXPECT_TRUE(connection_.busy());
  Answer("x");
  connection_.Drain(now_);
  EXPECT_TRUE(connection_.busy());
  Take();
  connection_.Drain(now_);
  EXPECT_TRUE(connection_.finished());
}

TEST_F(Conversation, HalfClosedClientsAreAnswered) {
  Say(std::string(kGet) + kGet);
  connection_.ReceiveEnd(now_);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(connection_.TakeRequest()) << i;
    EXPECT_FALSE(connection_.finished());
    Answer("x");
    Take();
  }
  EXPECT_TRUE(connection_.finished());
}

TEST_F(Conversation, WhatItHoldsIsCounted) {
  const std::size_t empty = connection_.held_bytes();
  Say("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n" + std::string(50000, 'x'));
  EXPECT_GE(connection_.held_bytes(), 50000U);
  EXPECT_TRUE(connection_.receiving_body());
  Say(std::string(50000, 'x'));
  ASSERT_TRUE(connection_.TakeRequest());
  EXPECT_GE(connection_.held_bytes(), 100000U) << "the handler has it";
  Answer(std::string(200000, 'y'));
  EXPECT_GE(connection_.held_bytes(), 200000U);
  Take();
  EXPECT_LE(connection_.held_bytes(), empty + 200000U);
}

}  // namespace
}  // namespace heliograph::http
