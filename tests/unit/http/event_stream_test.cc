#include "http/event_stream.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "http/mailbox.h"
#include "http/outgoing_stream.h"

namespace heliograph::http {
namespace {

constexpr std::size_t kLimit = 2000;

// A stream with both ends: what a handler has, and what the server has.
class Stream : public ::testing::Test {
 protected:
  void Attach(bool chunked = true) {
    ASSERT_TRUE(open_.TryBegin());
    outgoing_ = OutgoingStream::Attach(stream_, open_, kLimit, chunked);
    ASSERT_NE(outgoing_, nullptr);
  }
  void Start() {
    Attach();
    outgoing_->Start(mailbox_, {7, 70});
  }
  bool Push(const std::string& text) { return stream_->Push(StreamText(text)); }
  std::string Output() const {
    std::array<std::string_view, 64> pieces;
    const std::size_t count = outgoing_->Gather(pieces);
    std::string all;
    for (std::size_t i = 0; i < count; ++i) all += pieces.at(i);
    return all;
  }
  // The client takes everything there is.
  std::string Deliver() {
    EXPECT_TRUE(outgoing_->Take());
    const std::string all = Output();
    outgoing_->Sent(all.size());
    outgoing_->OutputDone();
    return all;
  }
  double Metric(const std::string& name) {
    const std::string series = "\n" + name + "{server=\"s\"} ";
    const std::string all = registry_.Exposition();
    return std::atof(all.c_str() + all.find(series) + series.size());
  }

  metrics::Registry registry_;
  ServerMetrics metrics_{registry_, "s"};
  OpenStreams open_{metrics_, 2};
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  std::vector<StreamEnd> ends_;
  int drained_ = 0;
  std::shared_ptr<EventStream> stream_ = std::make_shared<EventStream>(
      StreamCallbacks{.on_end = [this](StreamEnd end) { ends_.push_back(end); },
                      .on_drained = [this] { ++drained_; }});
  std::unique_ptr<OutgoingStream> outgoing_;
};

TEST_F(Stream, WakesTheReaderOnceUntilItLooks) {
  EXPECT_TRUE(Push("before"));
  Start();
  EXPECT_TRUE(Push("x"));
  EXPECT_TRUE(mailbox_->TakeReady().empty()) << "it looks anyway, once the head is sent";
  EXPECT_EQ(Deliver(), "6\r\nbefore\r\n1\r\nx\r\n");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Push("y"));
  const auto ready = mailbox_->TakeReady();
  ASSERT_EQ(ready.size(), 1U);
  EXPECT_EQ(ready[0].fd, 7);
  EXPECT_EQ(ready[0].id, 70U);
  Deliver();
  EXPECT_TRUE(Push("z"));
  EXPECT_EQ(mailbox_->TakeReady().size(), 1U);
}

TEST_F(Stream, SendsInPieces) {
  Start();
  EXPECT_TRUE(Push("ab"));
  EXPECT_TRUE(Push("cd"));
  ASSERT_TRUE(outgoing_->Take());
  std::string sent;
  while (outgoing_->has_output()) {
    sent += Output()[0];
    outgoing_->Sent(1);
  }
  EXPECT_EQ(sent, "2\r\nab\r\n2\r\ncd\r\n");
  EXPECT_EQ(stream_->waiting_bytes(), 0U);
}

TEST_F(Stream, WithoutChunksIsText) {
  Attach(false);
  EXPECT_TRUE(Push("ab"));
  EXPECT_EQ(Deliver(), "ab");
  EXPECT_TRUE(Push("cd"));
  outgoing_->Finish(StreamEnd::kClosed);
  EXPECT_EQ(Output(), "cd");
}

TEST_F(Stream, MoreThanMayWaitEndsIt) {
  Start();
  int taken = 0;
  while (Push(std::string(100, 'x'))) ++taken;
  EXPECT_GE(taken, 5);
  EXPECT_LE(taken, 10);
  EXPECT_FALSE(stream_->open());
  EXPECT_TRUE(ends_.empty()) << "never from within Push";
  EXPECT_TRUE(outgoing_->overflowed());
  EXPECT_EQ(mailbox_->TakeReady().size(), 1U) << "so that it is noticed at once";
  EXPECT_FALSE(Push("x"));
}

TEST_F(Stream, WhatIsBeingSentStillWaits) {
  Start();
  EXPECT_TRUE(Push(std::string(1800, 'x')));
  ASSERT_TRUE(outgoing_->Take());
  outgoing_->Sent(1000);
  EXPECT_FALSE(Push(std::string(100, 'x')));
}

TEST_F(Stream, ManyTinyTextsAreBoundedToo) {
  Start();
  std::size_t taken = 0;
  while (Push("x")) ++taken;
  EXPECT_LT(taken, kLimit / 100) << "each costs more than its byte";
}

TEST_F(Stream, ATextLargerThanTheLimitGoesAlone) {
  Start();
  EXPECT_TRUE(Push(std::string(10 * kLimit, 'x')));
  EXPECT_FALSE(Push("x"));
}

TEST_F(Stream, IsBoundedBeforeItBeginsToo) {
  std::size_t bytes = 0;
  while (Push(std::string(1000, 'x'))) bytes += 1000;
  EXPECT_LE(bytes, EventStream::kBytesBeforeStart);
  Start();
  EXPECT_TRUE(outgoing_->overflowed());
}

TEST_F(Stream, CloseSendsWhatWasPushed) {
  Start();
  EXPECT_TRUE(Push("x"));
  stream_->Close();
  EXPECT_FALSE(Push("y"));
  EXPECT_TRUE(ends_.empty()) << "never from within Close";
  ASSERT_FALSE(outgoing_->Take());
  outgoing_->Finish(StreamEnd::kClosed);
  EXPECT_EQ(Output(), "1\r\nx\r\n0\r\n\r\n");
  EXPECT_EQ(ends_, std::vector{StreamEnd::kClosed});
  outgoing_.reset();
  EXPECT_EQ(ends_.size(), 1U);
}

TEST_F(Stream, TellsWhenNothingWaits) {
  EXPECT_TRUE(Push("before"));
  Start();
  outgoing_->OutputDone();
  EXPECT_EQ(drained_, 0) << "the head is sent, but something was pushed before it";
  Deliver();
  EXPECT_EQ(drained_, 1);
  outgoing_->AddHeartbeat();
  outgoing_->Sent(Output().size());
  outgoing_->OutputDone();
  EXPECT_EQ(drained_, 1) << "nobody waits for a heartbeat";
  EXPECT_TRUE(Push("x"));
  ASSERT_TRUE(outgoing_->Take());
  EXPECT_TRUE(Push("y"));
  outgoing_->Sent(Output().size());
  outgoing_->OutputDone();
  EXPECT_EQ(drained_, 1) << "more waits";
  Deliver();
  EXPECT_EQ(drained_, 2);
}

TEST_F(Stream, EndsOnce) {
  Start();
  outgoing_->End(StreamEnd::kClientGone);
  outgoing_->End(StreamEnd::kTooSlow);
  outgoing_.reset();
  stream_->Close();
  EXPECT_EQ(ends_, std::vector{StreamEnd::kClientGone});
  EXPECT_EQ(Metric("heliograph_http_streams"), 0);
  EXPECT_EQ(Metric("heliograph_http_streams_dropped_total"), 0);
}

TEST_F(Stream, EndsWithTheServer) {
  Start();
  EXPECT_EQ(Metric("heliograph_http_streams"), 1);
  outgoing_.reset();
  EXPECT_EQ(ends_, std::vector{StreamEnd::kShutdown});
  EXPECT_EQ(Metric("heliograph_http_streams"), 0);
}

TEST_F(Stream, ThatWasTooSlowIsCounted) {
  Start();
  outgoing_->End(StreamEnd::kTooSlow);
  EXPECT_EQ(Metric("heliograph_http_streams_dropped_total"), 1);
}

TEST_F(Stream, IsOfOneAnswer) {
  Start();
  EXPECT_EQ(OutgoingStream::Attach(stream_, open_, kLimit, true), nullptr);
  OutgoingStream::Refuse(*stream_);
  EXPECT_TRUE(Push("x"));
  EXPECT_TRUE(ends_.empty());
}

TEST_F(Stream, ThatIsRefusedHasEnded) {
  OutgoingStream::Refuse(*stream_);
  EXPECT_EQ(ends_, std::vector{StreamEnd::kNotStarted});
  EXPECT_FALSE(Push("x"));
}

TEST_F(Stream, HoldsItsCallbacksNoLongerThanItLives) {
  auto held = std::make_shared<int>(1);
  stream_ = std::make_shared<EventStream>(
      StreamCallbacks{.on_end = [held](StreamEnd) {}, .on_drained = [held] {}});
  Start();
  EXPECT_EQ(held.use_count(), 3);
  outgoing_->End(StreamEnd::kClientGone);
  EXPECT_EQ(held.use_count(), 1);
}

TEST_F(Stream, CallbacksMayPushAndThrow) {
  stream_ =
      std::make_shared<EventStream>(StreamCallbacks{.on_end =
                                                        [this](StreamEnd) {
                                                          EXPECT_FALSE(Push("x"));
                                                          throw std::runtime_error("on_end");
                                                        },
                                                    .on_drained =
                                                        [this] {
                                                          EXPECT_TRUE(Push("x"));
                                                          throw std::runtime_error("on_drained");
                                                        }});
  Start();
  Deliver();
  EXPECT_EQ(Deliver(), "1\r\nx\r\n");
  outgoing_->End(StreamEnd::kClientGone);
}

TEST(OpenStreams, AreAtMostSoMany) {
  metrics::Registry registry;
  ServerMetrics metrics(registry, "s");
  OpenStreams open(metrics, 1);
  EXPECT_TRUE(open.TryBegin());
  EXPECT_FALSE(open.TryBegin());
  open.Ended(StreamEnd::kClosed);
  EXPECT_TRUE(open.TryBegin());
}

TEST(StreamResponse, SaysWhatItIs) {
  const auto stream = std::make_shared<EventStream>();
  const Response response = StreamResponse(stream);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/event-stream");
  EXPECT_EQ(response.stream, stream);
}

}  // namespace
}  // namespace heliograph::http
