// Answers that go on: what clients see of them, and what those see who push.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "contract/http/raw_client.h"
#include "contract/http/stream_server.h"
#include "contract/http/test_server.h"

namespace heliograph::http::testing {
namespace {

using std::chrono::milliseconds;

TEST(Stream, SendsItsHeadThenWhatIsPushed) {
  StreamServer server(SmallServer());
  RawClient client(server.port());
  client.Send(Get("/stream"));
  const auto head = client.ReadAnswer();
  ASSERT_TRUE(head.has_value()) << "at once, although nothing was pushed";
  EXPECT_EQ(head->status, 200);
  EXPECT_EQ(head->headers.at("content-type"), "text/event-stream");
  EXPECT_EQ(head->headers.at("cache-control"), "no-store");
  EXPECT_EQ(head->headers.at("x-accel-buffering"), "no");
  EXPECT_EQ(head->headers.at("transfer-encoding"), "chunked");
  EXPECT_FALSE(head->headers.contains("content-length"));
  const TestStream stream = server.stream(0);
  EXPECT_TRUE(stream.Push("data: one\n\n"));
  EXPECT_EQ(client.ReadChunk(), "data: one\n\n");
  EXPECT_TRUE(stream.Push("two"));
  EXPECT_TRUE(stream.Push("")) << "no text must not be the last chunk";
  EXPECT_TRUE(stream.Push("three"));
  EXPECT_EQ(client.ReadChunk(), "two");
  EXPECT_EQ(client.ReadChunk(), "three");
  EXPECT_EQ(server.Open(), 1);
}

TEST(Stream, EndsProperlyAndTheConnectionStays) {
  StreamServer server(SmallServer());
  const auto client = OpenStream(server);
  const TestStream stream = server.stream(0);
  EXPECT_TRUE(stream.Push("last"));
  stream.stream->Close();
  EXPECT_FALSE(stream.Push("too late"));
  EXPECT_EQ(client->ReadChunk(), "last");
  EXPECT_EQ(client->ReadChunk(), "");
  EXPECT_TRUE(stream.Ended(StreamEnd::kClosed));
  client->Send(Get("/tiny") + Get("/stream?first=again"));
  EXPECT_EQ(client->ReadAnswer()->body, "tiny");
  EXPECT_EQ(client->ReadAnswer()->status, 200);
  EXPECT_EQ(client->ReadChunk(), "again");
  EXPECT_EQ(stream.told->ends.load(), 1);
  EXPECT_EQ(server.Open(), 1) << "the second";
}

TEST(Stream, ConnectionCloseEndsTheConnectionAfterIt) {
  StreamServer server(SmallServer());
  RawClient client(server.port());
  client.Send(Get("/stream?first=x", "Connection: close\r\n"));
  EXPECT_EQ(client.ReadAnswer()->headers.at("connection"), "close");
  server.stream(0).stream->Close();
  EXPECT_EQ(client.ReadChunk(), "x");
  EXPECT_EQ(client.ReadChunk(), "");
  EXPECT_EQ(client.ReadToEnd(), "");
}

TEST(Stream, OfHttp10EndsWithTheConnection) {
  StreamServer server(SmallServer());
  for (const std::string more : {"", "Connection: keep-alive\r\n"}) {
    RawClient client(server.port());
    client.Send("GET /stream?first=a HTTP/1.0\r\n" + more + "\r\n");
    const auto head = client.ReadAnswer();
    ASSERT_TRUE(head.has_value());
    EXPECT_FALSE(head->headers.contains("transfer-encoding"));
    EXPECT_EQ(head->headers.at("connection"), "close");
    const TestStream stream = server.stream(server.streams() - 1);
    EXPECT_TRUE(stream.Push("b\n"));
    stream.stream->Close();
    EXPECT_EQ(client.ReadToEnd(), "ab\n");
  }
}

TEST(Stream, HeadHasItsHeadOnly) {
  StreamServer server(SmallServer());
  RawClient client(server.port());
  client.Send("HEAD /stream?first=x HTTP/1.1\r\nHost: test\r\n\r\n" + Get("/tiny"));
  const auto head = client.ReadAnswer(false);
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(head->status, 200);
  EXPECT_EQ(head->headers.at("content-type"), "text/event-stream");
  EXPECT_EQ(client.ReadAnswer()->body, "tiny");
  EXPECT_TRUE(server.stream(0).Ended(StreamEnd::kNotStarted));
  EXPECT_FALSE(server.stream(0).Push("x"));
  EXPECT_EQ(server.Open(), 0);
}

TEST(Stream, GoesWithStatus200Only) {
  StreamServer server(SmallServer());
  const auto answer = Ask(server.port(), Get("/created"));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 201);
  EXPECT_EQ(answer->headers.at("content-length"), "0");
  EXPECT_TRUE(server.stream(0).Ended(StreamEnd::kNotStarted));
}

TEST(Stream, IsOfOneRequest) {
  StreamServer server(SmallServer());
  const auto client = OpenStream(server);
  EXPECT_EQ(Ask(server.port(), Get("/again"))->status, 500);
  EXPECT_EQ(Ask(server.port(), "HEAD /again HTTP/1.1\r\nHost: test\r\n\r\n")->status, 200);
  EXPECT_TRUE(server.stream(0).Push("still there"));
  EXPECT_EQ(client->ReadChunk(), "still there");
  EXPECT_EQ(server.Open(), 1);
}

TEST(Stream, AHeartbeatKeepsItAliveAndNoOtherTimeEndsIt) {
  ServerConfig config = SmallServer();
  config.stream_heartbeat = milliseconds(30);
  config.idle_timeout = config.request_timeout = config.send_timeout = milliseconds(200);
  StreamServer server(config);
  const auto client = OpenStream(server);
  const auto began = std::chrono::steady_clock::now();
  int heartbeats = 0;
  while (std::chrono::steady_clock::now() - began < milliseconds(1000)) {
    ASSERT_EQ(client->ReadChunk(), ":\n\n");
    ++heartbeats;
  }
  EXPECT_GE(heartbeats, 2);
  EXPECT_EQ(server.stream(0).told->drained.load(), 1) << "nobody pushed anything after the head";
  EXPECT_TRUE(server.stream(0).Push("x"));
  std::optional<std::string> chunk = ":\n\n";
  while (chunk == ":\n\n") chunk = client->ReadChunk();
  EXPECT_EQ(chunk, "x");
}

TEST(Stream, NoHeartbeatWhileThereIsSomethingToSend) {
  ServerConfig config = SmallServer();
  config.stream_heartbeat = std::chrono::seconds(2);
  StreamServer server(config);
  const auto client = OpenStream(server);
  const auto began = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - began < std::chrono::seconds(3)) {
    ASSERT_TRUE(server.stream(0).Push("event"));
    ASSERT_EQ(client->ReadChunk(), "event");
    std::this_thread::sleep_for(milliseconds(5));
  }
}

TEST(Stream, ManyThreadsPushAndNothingIsLostOrTorn) {
  constexpr int kThreads = 8;
  constexpr int kTexts = 300;
  ServerConfig config = SmallServer();
  config.max_stream_bytes = 64 * 1024 * 1024;
  StreamServer server(config);
  const auto client = OpenStream(server);
  const TestStream stream = server.stream(0);
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&stream, thread] {
      for (int i = 0; i < kTexts; ++i) {
        EXPECT_TRUE(stream.Push(std::to_string(thread) + ":" + std::to_string(i)));
      }
    });
  }
  std::map<std::string, int> next;
  for (int i = 0; i < kThreads * kTexts; ++i) {
    const auto chunk = client->ReadChunk();
    ASSERT_TRUE(chunk.has_value()) << i;
    const auto colon = chunk->find(':');
    ASSERT_EQ(chunk->substr(colon + 1), std::to_string(next[chunk->substr(0, colon)]++));
  }
  EXPECT_TRUE(Eventually([&] { return stream.stream->waiting_bytes() == 0; }));
}

TEST(Stream, MoreThanMayWaitIsPushedPageByPage) {
  ServerConfig config = SmallServer();
  config.max_stream_bytes = 1500;
  StreamServer server(config);
  RawClient client(server.port(), 4096);
  client.Send(Get("/pages?count=1000"));
  ASSERT_EQ(client.ReadAnswer()->status, 200);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(client.ReadChunk(), Page(i));
  EXPECT_EQ(client.ReadChunk(), "");
  EXPECT_TRUE(server.stream(0).Ended(StreamEnd::kClosed));
}

TEST(Stream, ATextLargerThanTheLimitPassesWhereNothingWaits) {
  ServerConfig config = SmallServer();
  config.max_stream_bytes = 1024;
  StreamServer server(config);
  const auto client = OpenStream(server);
  const std::string large(3000000, 'x');
  EXPECT_TRUE(server.stream(0).Push(large));
  EXPECT_EQ(client->ReadChunk(), large);
}

TEST(Stream, WhatIsPipelinedBehindItWaitsForItsEnd) {
  StreamServer server(SmallServer());
  RawClient client(server.port());
  client.Send(Get("/stream") + Get("/tiny"));
  ASSERT_EQ(client.ReadAnswer()->status, 200);
  client.Send(Get("/tiny"));
  const TestStream stream = server.stream(0);
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(stream.Push("x"));
    EXPECT_EQ(client.ReadChunk(), "x");
  }
  stream.stream->Close();
  EXPECT_EQ(client.ReadChunk(), "");
  EXPECT_EQ(client.ReadAnswer()->body, "tiny");
  EXPECT_EQ(client.ReadAnswer()->body, "tiny");
}

TEST(Stream, BytesThatTheClientSendsMeanwhileStayInItsSocket) {
  StreamServer server(SmallServer());
  const auto client = OpenStream(server);
  const std::string part(65536, 'x');
  EXPECT_TRUE(Eventually([&] { return !client->TrySend(part); })) << "nobody reads them";
  EXPECT_TRUE(server.stream(0).Push("still"));
  EXPECT_EQ(client->ReadChunk(), "still");
  server.stream(0).stream->Close();
  EXPECT_EQ(client->ReadChunk(), "");
  EXPECT_EQ(client->ReadAnswer()->status, 414) << "now they are a request, and a bad one";
}

}  // namespace
}  // namespace heliograph::http::testing
