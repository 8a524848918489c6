// How streams end that nobody closes: clients that go away, read slowly or are too many, and the
// end of the server. Whoever pushes is told once.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <fstream>
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
using std::chrono::steady_clock;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

constexpr int kSmallBuffer = 4096;

// Pushes what the client's socket does not take at once, and less than may wait.
void PushMoreThanTheSocketTakes(const TestStream& stream) {
  const StreamText text(std::string(1000, 'x'));
  while (stream.stream->waiting_bytes() < 80 * 1000) ASSERT_TRUE(stream.stream->Push(text));
  const std::size_t waiting = stream.stream->waiting_bytes();
  ASSERT_GT(waiting, 40U * 1000);
}

TEST(StreamEnd, AClientThatCloses) {
  ServerConfig config = SmallServer();
  config.stream_heartbeat = std::chrono::hours(1);  // which would find out, too
  StreamServer server(config);
  auto client = OpenStream(server);
  client->Close();
  EXPECT_TRUE(server.stream(0).Ended(StreamEnd::kClientGone)) << "without a push";
  EXPECT_FALSE(server.stream(0).Push("x"));
  EXPECT_TRUE(Eventually([&] { return server.Open() == 0; }));
  EXPECT_EQ(server.Dropped(), 0);
}

TEST(StreamEnd, AClientThatIsReset) {
  StreamServer server(SmallServer());
  for (const bool with_text : {false, true}) {
    auto client = OpenStream(server, kSmallBuffer);
    const TestStream stream = server.stream(server.streams() - 1);
    if (with_text) PushMoreThanTheSocketTakes(stream);
    client->Reset();
    EXPECT_TRUE(stream.Ended(StreamEnd::kClientGone)) << with_text;
  }
  EXPECT_EQ(server.Open(), 0);
}

TEST(StreamEnd, AClientThatClosesHalfSeesACompleteAnswer) {
  StreamServer server(SmallServer());
  for (const char* sent_ahead : {"", "GET /tiny HTTP/1.1\r\nHost: test\r\n\r\n"}) {
    auto client = OpenStream(server);
    const TestStream stream = server.stream(server.streams() - 1);
    client->Send(sent_ahead);
    EXPECT_TRUE(stream.Push("x"));
    client->ShutWriting();
    EXPECT_TRUE(stream.Ended(StreamEnd::kClientGone));
    EXPECT_EQ(client->ReadChunk(), "x");
    EXPECT_EQ(client->ReadChunk(), "");
    EXPECT_EQ(client->ReadToEnd(), "") << "what was sent ahead is not answered";
  }
}

TEST(StreamEnd, AClientThatHadClosedHalfBeforeItBegan) {
  StreamServer server(SmallServer());
  RawClient client(server.port());
  client.Send(Get("/held"));
  client.ShutWriting();
  ASSERT_TRUE(Eventually([&] { return server.held() == 1; }));
  server.Release();
  EXPECT_EQ(client.ReadAnswer()->status, 200);
  EXPECT_EQ(client.ReadChunk(), "");
  EXPECT_EQ(client.ReadToEnd(), "");
  EXPECT_TRUE(server.stream(0).Ended(StreamEnd::kClientGone));
}

TEST(StreamEnd, AClientThatHadGoneBeforeItBegan) {
  StreamServer server(SmallServer());
  RawClient client(server.port());
  client.Send(Get("/held"));
  ASSERT_TRUE(Eventually([&] { return server.held() == 1; }));
  client.Reset();
  server.Release();
  ASSERT_TRUE(Eventually([&] { return server.streams() == 1; }));
  EXPECT_TRUE(server.stream(0).Ended(StreamEnd::kClientGone));
  EXPECT_TRUE(Eventually([&] { return server.Open() == 0; }));
}

TEST(StreamEnd, ASlowReaderIsCutAndNobodyElse) {
  ServerConfig config = SmallServer();
  config.io_threads = 1;
  StreamServer server(config);
  const auto slow = OpenStream(server, kSmallBuffer);
  const auto good = OpenStream(server);
  const StreamText text(std::string(1000, 'x'));
  int pushed = 0;
  ASSERT_TRUE(Eventually([&] {
    EXPECT_TRUE(server.stream(1).stream->Push(text));
    EXPECT_EQ(good->ReadChunk()->size(), 1000U);
    ++pushed;
    return !server.stream(0).stream->Push(text);
  }));
  EXPECT_GT(pushed, 100) << "there is a buffer";
  EXPECT_TRUE(server.stream(0).Ended(StreamEnd::kTooSlow));
  EXPECT_EQ(server.Dropped(), 1);
  EXPECT_EQ(server.Open(), 1);
  EXPECT_EQ(server.stream(0).told->ends.load(), 1);
  std::optional<std::string> chunk = "x";
  while (chunk && !chunk->empty()) chunk = slow->ReadChunk();
  EXPECT_FALSE(chunk.has_value()) << "what is not complete must not look so";
}

TEST(StreamEnd, AClientThatTakesNothingIsDroppedInTime) {
  ServerConfig config = SmallServer();
  config.send_timeout = milliseconds(300);
  StreamServer server(config);
  const auto client = OpenStream(server, kSmallBuffer);
  const TestStream stream = server.stream(0);
  PushMoreThanTheSocketTakes(stream);
  EXPECT_EQ(stream.told->ends.load(), 0);
  EXPECT_TRUE(stream.Ended(StreamEnd::kTooSlow));
  EXPECT_EQ(server.Dropped(), 1);
}

TEST(StreamEnd, MoreThanMayBeAreTold) {
  ServerConfig config = SmallServer();
  config.max_streams = 2;
  StreamServer server(config);
  auto first = OpenStream(server);
  const auto second = OpenStream(server);
  RawClient third(server.port());
  third.Send(Get("/stream"));
  const auto refused = third.ReadAnswer();
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->status, 503);
  EXPECT_EQ(refused->headers.at("retry-after"), "5");
  EXPECT_EQ(refused->headers.at("content-type"), "application/problem+json");
  EXPECT_NE(refused->body.find("/problems/too-many-streams"), std::string::npos);
  EXPECT_TRUE(server.stream(2).Ended(StreamEnd::kNotStarted));
  third.Send(Get("/tiny"));
  EXPECT_EQ(third.ReadAnswer()->body, "tiny") << "the connection is as good as before";
  first->Close();
  ASSERT_TRUE(Eventually([&] { return server.Open() == 1; }));
  third.Send(Get("/stream"));
  EXPECT_EQ(third.ReadAnswer()->status, 200) << "a place is free again";
}

TEST(StreamEnd, TheServersEndIsACompleteAnswer) {
  StreamServer server(SmallServer());
  const auto client = OpenStream(server);
  const TestStream stream = server.stream(0);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(stream.Push("x"));
  server.Stop();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(client->ReadChunk(), "x");
  EXPECT_EQ(client->ReadChunk(), "");
  EXPECT_EQ(client->ReadToEnd(), "");
  EXPECT_EQ(stream.told->ends.load(), 1) << "told before the server has gone";
  EXPECT_EQ(stream.told->end.load(), StreamEnd::kShutdown);
  EXPECT_FALSE(stream.Push("x"));
}

TEST(StreamEnd, TheServersEndDoesNotWaitForSlowReaders) {
  ServerConfig config = SmallServer();
  config.drain_timeout = std::chrono::seconds(60);
  StreamServer server(config);
  const auto client = OpenStream(server, kSmallBuffer);
  const TestStream stream = server.stream(0);
  PushMoreThanTheSocketTakes(stream);
  const auto began = steady_clock::now();
  server.Stop();
  EXPECT_LT(steady_clock::now() - began, std::chrono::seconds(10));
  EXPECT_EQ(stream.told->ends.load(), 1);
  EXPECT_EQ(stream.told->end.load(), StreamEnd::kShutdown);
}

TEST(StreamEnd, AStreamThatBeginsWhileTheServerEnds) {
  StreamServer server(SmallServer());
  RawClient client(server.port());
  client.Send(Get("/held"));
  const auto idle = OpenStream(server);
  ASSERT_TRUE(Eventually([&] { return server.held() == 1; }));
  std::jthread stopping([&] { server.Stop(); });
  ASSERT_EQ(idle->ReadChunk(), "") << "it ends";
  server.Release();
  const auto head = client.ReadAnswer();
  stopping.join();
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(head->status, 200);
  EXPECT_EQ(client.ReadChunk(), "");
  EXPECT_TRUE(server.stream(1).Ended(StreamEnd::kShutdown));
}

// For the thread sanitizer: pushing, closing, leaving and the end of the server, all at once.
TEST(StreamEnd, ComesOnceWhateverHappensTogether) {
  for (int round = 0; round < 5; ++round) {
    ServerConfig config = SmallServer();
    config.max_stream_bytes = 4096;
    config.stream_heartbeat = milliseconds(10);
    StreamServer server(config);
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 24; ++i) clients.push_back(OpenStream(server, kSmallBuffer));
    std::vector<TestStream> streams;
    for (std::size_t i = 0; i < 24; ++i) streams.push_back(server.stream(i));
    std::atomic<bool> stop{false};
    std::vector<std::jthread> pushing;
    for (int thread = 0; thread < 3; ++thread) {
      pushing.emplace_back([&] {
        const StreamText text(std::string(300, 'x'));
        while (!stop.load()) {
          for (const TestStream& stream : streams) stream.stream->Push(text);
        }
      });
    }
    std::jthread leaving([&] {
      for (std::size_t i = 0; i < clients.size(); i += 3) clients[i]->Reset();
      for (std::size_t i = 1; i < clients.size(); i += 6) streams[i].stream->Close();
    });
    if (round % 2 == 0) leaving.join();
    server.Stop();
    stop.store(true);
    pushing.clear();
    for (const TestStream& stream : streams) {
      EXPECT_EQ(stream.told->ends.load(), 1);
      EXPECT_FALSE(stream.stream->open());
    }
  }
}

long ResidentKib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::atol(line.c_str() + 6);
  }
  return 0;
}

// Both ends of each are in this process.
TEST(StreamEnd, TwoThousandStreamsAreCheapAndEndWithTheServer) {
  constexpr std::size_t kStreams = 2000;
  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = files.rlim_max;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
  ASSERT_GE(files.rlim_cur, 2 * kStreams + 300);
  ServerConfig config = SmallServer();
  config.max_connections = kStreams + 10;
  StreamServer server(config);
  EXPECT_EQ(Ask(server.port(), Get("/tiny"))->body, "tiny");
  const long before = ResidentKib();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (std::size_t i = 0; i < kStreams; ++i) clients.push_back(OpenStream(server));
  const long open = ResidentKib();
  EXPECT_EQ(server.Open(), kStreams);
  const StreamText text(std::string(100000, 'x'));
  for (std::size_t i = 0; i < kStreams; ++i) EXPECT_TRUE(server.stream(i).stream->Push(text));
  const long pushed = ResidentKib();
  for (const auto& client : clients) ASSERT_EQ(client->ReadChunk()->size(), 100000U);
  RecordProperty("kib_for_2000_streams", std::to_string(open - before));
  RecordProperty("kib_more_while_100_kb_waited_for_each", std::to_string(pushed - open));
  if (!kSanitized) {
    EXPECT_LT(open - before, 2000 * 10) << "KiB for both ends of 2,000";
    EXPECT_LT(pushed - open, 10000) << "one text for all, where copies would be 200 MB";
  }
  const auto began = steady_clock::now();
  server.Stop();
  EXPECT_LT(steady_clock::now() - began, std::chrono::seconds(10));
  for (const auto& client : clients) ASSERT_EQ(client->ReadChunk(), "");
  for (std::size_t i = 0; i < kStreams; ++i) {
    ASSERT_EQ(server.stream(i).told->ends.load(), 1);
    ASSERT_EQ(server.stream(i).told->end.load(), StreamEnd::kShutdown);
  }
}

}  // namespace
}  // namespace heliograph::http::testing
