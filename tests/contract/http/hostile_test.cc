// Clients that are slow, silent, greedy or many. A good client is served beside them.
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "contract/http/raw_client.h"
#include "contract/http/test_server.h"

namespace heliograph::http::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// CPU seconds of this process.
double CpuSeconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

ServerConfig Impatient() {
  ServerConfig config = SmallServer();
  config.io_threads = 1;
  config.request_timeout = milliseconds(300);
  config.idle_timeout = milliseconds(300);
  config.send_timeout = milliseconds(300);
  return config;
}

TEST(Hostile, ASlowSenderIsTimedOut) {
  TestServer server(Impatient());
  for (const char* beginning :
       {"G", "GET /tiny HTTP/1.1\r\nHost: te",
        "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhel"}) {
    RawClient client(server.port());
    client.Send(beginning);
    const auto answer = client.ReadAnswer();
    ASSERT_TRUE(answer.has_value()) << beginning;
    EXPECT_EQ(answer->status, 408);
    EXPECT_EQ(client.ReadToEnd(), "");
  }
  EXPECT_EQ(server.Rejected("request-timeout"), 3);
  EXPECT_EQ(server.handled(), 0);
}

TEST(Hostile, DripsDoNotExtendTheTime) {
  TestServer server(Impatient());
  RawClient client(server.port());
  client.Send("GET /tiny HTTP/1.1\r\nHost: test\r\nX: ");
  ASSERT_TRUE(Eventually([&] {
    client.TrySend("x");
    return server.Rejected("request-timeout") == 1;
  }));
}

TEST(Hostile, AnIdleConnectionEnds) {
  TestServer server(Impatient());
  RawClient silent(server.port());
  RawClient once(server.port());
  once.Send(Get("/tiny"));
  EXPECT_EQ(once.ReadAnswer()->status, 200);
  EXPECT_EQ(silent.ReadToEnd(), "") << "it said nothing, so nothing is said";
  EXPECT_EQ(once.ReadToEnd(), "");
}

TEST(Hostile, TwoHundredSilentConnectionsBesideAGoodClient) {
  ServerConfig config = SmallServer();
  config.io_threads = 2;
  TestServer server(config);
  std::vector<std::unique_ptr<RawClient>> hostile;
  for (int i = 0; i < 200; ++i) {
    hostile.push_back(std::make_unique<RawClient>(server.port()));
    const char* const beginnings[] = {
        "", "GET /ti", "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\nx",
        "POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"};
    hostile.back()->Send(beginnings[i % 4]);
  }
  const auto started = steady_clock::now();
  RawClient good(server.port());
  for (int i = 0; i < 100; ++i) {
    good.Send(Get("/things/" + std::to_string(i)));
    const auto answer = good.ReadAnswer();
    ASSERT_TRUE(answer.has_value());
    ASSERT_EQ(answer->body, std::to_string(i));
  }
  EXPECT_LT(steady_clock::now() - started, std::chrono::seconds(5)) << "100 requests in a row";
}

TEST(Hostile, ASlowReaderPinsNoWorker) {
  ServerConfig config = SmallServer();
  config.io_threads = 1;
  TestServer server(config);
  RawClient slow(server.port(), 4096);
  slow.Send(Get("/big?bytes=20000000"));
  ASSERT_TRUE(Eventually([&] { return server.Handled("/big") == 1; }));
  const auto started = steady_clock::now();
  const double cpu = CpuSeconds();
  int served = 0;
  RawClient good(server.port());
  while (steady_clock::now() - started < milliseconds(500)) {
    good.Send(Get("/tiny"));
    ASSERT_TRUE(good.ReadAnswer().has_value());
    ++served;
    std::ignore = Eventually(
        [at = steady_clock::now()] { return steady_clock::now() - at > milliseconds(5); });
  }
  EXPECT_GT(served, 20);
  EXPECT_LT(CpuSeconds() - cpu, 0.4) << "the worker sleeps while the socket is full";
  const auto answer = slow.ReadAnswer();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->body.size(), 20000000U) << "and the slow reader gets everything";
}

TEST(Hostile, AReaderWhoNeverReadsIsDropped) {
  TestServer server(Impatient());
  RawClient never(server.port(), 4096);
  never.Send(Get("/big?bytes=20000000"));
  ASSERT_TRUE(Eventually([&] { return server.Rejected("slow-reader") == 1; }));
}

TEST(Hostile, OneWhoSendsButNeverReadsIsNotReadEither) {
  ServerConfig config = SmallServer();
  config.io_threads = 1;
  TestServer server(config);
  RawClient greedy(server.port(), 4096);
  const std::string request = Get("/big?bytes=1000000");
  int sent = 0;
  const auto started = steady_clock::now();
  while (steady_clock::now() - started < milliseconds(300)) {
    if (greedy.TrySend(request)) ++sent;
  }
  EXPECT_GT(sent, 100);
  EXPECT_LE(server.Handled("/big"), 4)
      << "the next request is taken when the answer before it has been";
  EXPECT_EQ(Ask(server.port(), Get("/tiny"))->status, 200);
}

TEST(Hostile, PipeliningDoesNotKeepTheOthersWaiting) {
  ServerConfig config = SmallServer();
  config.io_threads = 1;
  TestServer server(config);
  RawClient flood(server.port());
  std::string many;
  for (int i = 0; i < 3000; ++i) many += Get("/tiny");
  flood.Send(many);
  EXPECT_EQ(Ask(server.port(), Get("/things/good"))->body, "good");
  for (int i = 0; i < 3000; ++i) ASSERT_TRUE(flood.ReadAnswer().has_value());
}

TEST(Hostile, MoreConnectionsThanAllowedAreTold) {
  ServerConfig config = SmallServer();
  config.max_connections = 4;
  TestServer server(config);
  std::vector<std::unique_ptr<RawClient>> good;
  for (int i = 0; i < 4; ++i) {
    good.push_back(std::make_unique<RawClient>(server.port()));
    good.back()->Send(Get("/tiny"));
    ASSERT_EQ(good.back()->ReadAnswer()->status, 200);
  }
  RawClient fifth(server.port());
  const auto refused = fifth.ReadAnswer();
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->status, 503);
  EXPECT_EQ(fifth.ReadToEnd(), "");
  good.pop_back();
  fifth.Close();
  EXPECT_TRUE(Eventually([&] {
    const auto answer = Ask(server.port(), Get("/tiny"));
    return answer && answer->status == 200;
  })) << "a place is free again";
}

TEST(Hostile, AFloodOfConnectionsLeavesNothingBehind) {
  ServerConfig config = SmallServer();
  config.max_connections = 8;
  TestServer server(config);
  for (int round = 0; round < 3; ++round) {
    std::vector<std::unique_ptr<RawClient>> flood;
    for (int i = 0; i < 150; ++i) flood.push_back(std::make_unique<RawClient>(server.port()));
    for (std::size_t i = 0; i < flood.size(); i += 2) flood[i]->Reset();
  }
  // Those of the flood that are still to be accepted come and go first.
  EXPECT_TRUE(Eventually([&] {
    const auto answer = Ask(server.port(), Get("/tiny"));
    return answer && answer->status == 200;
  }));
  EXPECT_TRUE(Eventually([&] {
    return server.Metrics().find(R"(heliograph_http_connections{server="test"} 0)") !=
           std::string::npos;
  }));
}

TEST(Hostile, BodiesTogetherAreBounded) {
  ServerConfig config = SmallServer();
  config.max_held_bytes = 2 * 1024 * 1024;
  TestServer server(config);
  std::vector<std::unique_ptr<RawClient>> greedy;
  const std::string most = Post("/echo", std::string(1000000, 'x')).substr(0, 900000);
  for (int i = 0; i < 6; ++i) {
    greedy.push_back(std::make_unique<RawClient>(server.port()));
    greedy.back()->Send(most);
  }
  ASSERT_TRUE(Eventually([&] { return server.Rejected("overloaded") >= 1; }));
  EXPECT_EQ(Ask(server.port(), Get("/tiny"))->status, 200) << "requests without a body pass";
  greedy.clear();
  EXPECT_TRUE(Eventually([&] {
    const auto answer = Ask(server.port(), Post("/echo", std::string(500000, 'y')));
    return answer && answer->status == 200;
  })) << "and all when there is room again";
}

TEST(Hostile, AnErrorIsReadByOneWhoStillSends) {
  TestServer server;
  RawClient client(server.port());
  client.Send("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 50000000\r\n\r\n");
  const std::string part(100000, 'x');
  for (int i = 0; i < 100; ++i) client.Send(part);  // 10 MB of it, although the answer is there
  const auto answer = client.ReadAnswer();
  ASSERT_TRUE(answer.has_value()) << "not lost in a reset";
  EXPECT_EQ(answer->status, 413);
}

}  // namespace
}  // namespace heliograph::http::testing
