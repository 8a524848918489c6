// Connections whose answer is a stream.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "http/connection.h"
#include "http/mailbox.h"

namespace heliograph::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr char kGet[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr std::size_t kLimit = 1000;

ConnectionLimits Limits() {
  ConnectionLimits limits;
  limits.request_timeout = seconds(10);
  limits.idle_timeout = seconds(60);
  limits.send_timeout = seconds(30);
  limits.linger_timeout = seconds(2);
  limits.stream_heartbeat = seconds(15);
  return limits;
}

class Streaming : public ::testing::Test {
 protected:
  void At(milliseconds since_start) {
    now_ = base::SteadyTime{} + since_start;
    connection_.Tick(now_);
  }
  void Begin(bool close = false, bool chunked = true) {
    connection_.Receive(kGet, now_);
    ASSERT_TRUE(connection_.TakeRequest());
    ASSERT_TRUE(open_.TryBegin());
    auto outgoing = OutgoingStream::Attach(stream_, open_, kLimit, chunked);
    outgoing->Start(mailbox_, {1, 1});
    connection_.BeginStream("head ", std::move(outgoing), close, now_);
  }
  bool Push(const std::string& text) { return stream_->Push(StreamText(text)); }
  // The client takes everything, and what comes meanwhile.
  std::string Take() {
    std::string taken;
    do {
      while (!connection_.output().empty()) {
        taken += connection_.output();
        connection_.Sent(connection_.output().size(), now_);
      }
    } while (connection_.ContinueStream(now_));
    return taken;
  }

  base::SteadyTime now_{};
  metrics::Registry registry_;
  ServerMetrics metrics_{registry_, "s"};
  OpenStreams open_{metrics_, 10};
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  std::vector<StreamEnd> ends_;
  std::shared_ptr<EventStream> stream_ = std::make_shared<EventStream>(
      StreamCallbacks{.on_end = [this](StreamEnd end) { ends_.push_back(end); }});
  Connection connection_{Limits(), now_};
};

TEST_F(Streaming, IsHeadThenChunksThenTheLast) {
  Begin();
  EXPECT_TRUE(Push("x"));
  EXPECT_EQ(Take(), "head 1\r\nx\r\n");
  EXPECT_TRUE(connection_.streaming());
  stream_->Close();
  EXPECT_EQ(Take(), "0\r\n\r\n");
  EXPECT_FALSE(connection_.streaming());
  EXPECT_EQ(ends_, std::vector{StreamEnd::kClosed});
  EXPECT_TRUE(connection_.wants_input()) << "another request may come";
}

TEST_F(Streaming, WhatWasSentAheadFollowsIt) {
  connection_.Receive(kGet, now_);
  ASSERT_TRUE(connection_.TakeRequest());
  connection_.Answer("", false, now_);
  connection_.Receive(std::string(kGet) + kGet, now_);
  ASSERT_TRUE(connection_.TakeRequest());
  ASSERT_TRUE(open_.TryBegin());
  connection_.BeginStream("head ", OutgoingStream::Attach(stream_, open_, kLimit, true), false,
                          now_);
  Take();
  EXPECT_FALSE(connection_.TakeRequest());
  EXPECT_FALSE(connection_.wants_input());
  stream_->Close();
  Take();
  EXPECT_TRUE(connection_.TakeRequest());
}

TEST_F(Streaming, TheLastAnswerIsLingeredOver) {
  Begin(true);
  Take();
  stream_->Close();
  EXPECT_EQ(Take(), "0\r\n\r\n");
  EXPECT_TRUE(connection_.TakeEndOfOutput());
  EXPECT_FALSE(connection_.finished());
  connection_.ReceiveEnd(now_);
  EXPECT_TRUE(connection_.finished());
}

TEST_F(Streaming, WithoutChunksItsEndIsTheConnections) {
  Begin(true, false);
  EXPECT_TRUE(Push("x"));
  EXPECT_EQ(Take(), "head x");
  stream_->Close();
  EXPECT_EQ(Take(), "");
  EXPECT_TRUE(connection_.TakeEndOfOutput()) << "although there was nothing left to send";
}

TEST_F(Streaming, AHeartbeatComesAfterSilenceOnly) {
  Begin();
  Take();
  At(milliseconds(14999));
  EXPECT_EQ(Take(), "");
  At(seconds(15));
  EXPECT_EQ(Take(), "3\r\n:\n\n\r\n");
  At(seconds(20));
  EXPECT_TRUE(Push("x"));
  Take();
  At(milliseconds(34999));
  EXPECT_EQ(Take(), "");
  At(seconds(35));
  EXPECT_EQ(Take(), "3\r\n:\n\n\r\n");
  At(seconds(10000));
  EXPECT_FALSE(connection_.finished()) << "a stream has no other time";
}

TEST_F(Streaming, OneHeartbeatAtATime) {
  Begin();
  Take();
  At(seconds(15));
  At(seconds(30));
  EXPECT_EQ(connection_.output(), "3\r\n:\n\n\r\n");
  connection_.Sent(connection_.output().size(), now_);
  EXPECT_EQ(connection_.output(), "");
}

TEST_F(Streaming, AHeartbeatMustBeTakenInTime) {
  Begin();
  Take();
  At(seconds(15));
  At(milliseconds(44999));
  EXPECT_FALSE(connection_.finished());
  At(seconds(45));
  EXPECT_TRUE(connection_.finished());
  EXPECT_EQ(ends_, std::vector{StreamEnd::kTooSlow});
}

TEST_F(Streaming, WhatWasPushedTogetherMustBeTakenInTime) {
  Begin();
  Take();
  At(seconds(5));
  EXPECT_TRUE(Push("abc"));
  ASSERT_TRUE(connection_.ContinueStream(now_));
  At(seconds(34));
  connection_.Sent(2, now_);
  EXPECT_FALSE(connection_.finished());
  At(seconds(35));
  EXPECT_TRUE(connection_.finished()) << "a byte now and then does not help";
  EXPECT_EQ(connection_.TakeCause(), "slow-reader");
  EXPECT_EQ(ends_, std::vector{StreamEnd::kTooSlow});
}

TEST_F(Streaming, AlwaysALittleBehindIsNotTooSlow) {
  Begin();
  Take();
  EXPECT_TRUE(Push("x"));
  ASSERT_TRUE(connection_.ContinueStream(now_));
  for (int i = 1; i < 20; ++i) {
    At(seconds(20 * i));
    ASSERT_FALSE(connection_.finished()) << i;
    EXPECT_TRUE(Push("x"));
    EXPECT_FALSE(connection_.ContinueStream(now_)) << "the one before is still there";
    connection_.Sent(connection_.output().size(), now_);
    ASSERT_TRUE(connection_.ContinueStream(now_));
  }
}

TEST_F(Streaming, MoreThanMayWaitEndsItThoughTheSocketIsFull) {
  Begin();
  Take();
  EXPECT_TRUE(Push("x"));
  ASSERT_TRUE(connection_.ContinueStream(now_));
  while (Push(std::string(100, 'x'))) {
  }
  EXPECT_FALSE(connection_.ContinueStream(now_));
  EXPECT_TRUE(connection_.finished());
  EXPECT_EQ(ends_, std::vector{StreamEnd::kTooSlow});
  EXPECT_EQ(connection_.output(), "") << "what is not complete must not look so";
}

TEST_F(Streaming, ADrainEndsItCompletelyAndNobodyWaits) {
  Begin();
  EXPECT_TRUE(Push("x"));
  EXPECT_FALSE(connection_.busy());
  connection_.Drain(now_);
  EXPECT_FALSE(connection_.busy()) << "although its output waits";
  EXPECT_EQ(ends_, std::vector{StreamEnd::kShutdown});
  EXPECT_EQ(Take(), "head 1\r\nx\r\n0\r\n\r\n");
  EXPECT_TRUE(connection_.TakeEndOfOutput());
}

TEST_F(Streaming, AGoneClientEndsIt) {
  connection_.EndStreamOfGoneClient(now_);
  EXPECT_FALSE(connection_.finished()) << "it has no stream";
  Begin();
  Take();
  EXPECT_TRUE(Push("x"));
  connection_.EndStreamOfGoneClient(now_);
  EXPECT_EQ(ends_, std::vector{StreamEnd::kClientGone});
  EXPECT_EQ(Take(), "1\r\nx\r\n0\r\n\r\n");
  EXPECT_TRUE(connection_.TakeEndOfOutput());
}

TEST_F(Streaming, ADroppedConnectionEndsIt) {
  Begin();
  connection_.Drop("");
  EXPECT_EQ(ends_, std::vector{StreamEnd::kClientGone});
  EXPECT_FALSE(Push("x"));
}

TEST_F(Streaming, SharedTextIsNotWhatAConnectionHolds) {
  Begin();
  Take();
  const std::size_t idle = connection_.held_bytes();
  EXPECT_LT(idle, 100U);
  EXPECT_TRUE(Push(std::string(500, 'x')));
  ASSERT_TRUE(connection_.ContinueStream(now_));
  EXPECT_EQ(connection_.held_bytes(), idle);
}

}  // namespace
}  // namespace heliograph::http
