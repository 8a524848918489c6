// The end of a server: nobody new, everybody who waits is answered, and it takes no longer than it
// may.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include "contract/http/raw_client.h"
#include "contract/http/test_server.h"

namespace heliograph::http::testing {
namespace {

using std::chrono::steady_clock;

TEST(Drain, AnswersWhatIsInFlightAndRefusesTheRest) {
  TestServer server;
  const std::uint16_t port = server.port();
  RawClient in_flight(port);
  in_flight.Send(Get("/slow") + Get("/things/next"));
  RawClient idle(port);
  idle.Send(Get("/tiny"));
  ASSERT_EQ(idle.ReadAnswer()->status, 200);
  ASSERT_TRUE(Eventually([&] { return server.slow_waiting() == 1; }));

  std::jthread stopping([&] { server.Stop(); });
  EXPECT_EQ(idle.ReadToEnd(), "") << "an idle connection ends at once";
  EXPECT_TRUE(Eventually([&] { return !RawClient(port).connected(); })) << "new ones are refused";
  server.Release();
  const auto answer = in_flight.ReadAnswer();
  stopping.join();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->body, "slow");
  EXPECT_EQ(answer->headers.at("connection"), "close");
  EXPECT_EQ(in_flight.ReadToEnd(), "");
  EXPECT_EQ(server.Handled("/things/next"), 0)
      << "what was pipelined after it is the next server's";
}

// Sends a request without its body, and waits until the server has asked for it.
void BeginRequest(RawClient& client) {
  client.Send(Post("/echo", "hello", "Expect: 100-continue\r\n")
                  .substr(0, Post("/echo", "", "Expect: 100-continue\r\n").size()));
  EXPECT_EQ(client.ReadAnswer()->status, 100);
}

TEST(Drain, ARequestThatIsBeingReceivedIsStillTaken) {
  TestServer server;
  const std::uint16_t port = server.port();
  RawClient client(port);
  BeginRequest(client);
  RawClient other(port);
  other.Send(Get("/tiny"));
  ASSERT_EQ(other.ReadAnswer()->status, 200);
  std::jthread stopping([&] { server.Stop(); });
  ASSERT_EQ(other.ReadToEnd(), "") << "it drains";
  client.Send("hello");
  const auto answer = client.ReadAnswer();
  stopping.join();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->body, "hello");
}

TEST(Drain, WaitsNoLongerThanItMay) {
  ServerConfig config = SmallServer();
  config.drain_timeout = std::chrono::milliseconds(200);
  TestServer server(config);
  RawClient half(server.port());
  BeginRequest(half);
  const auto started = steady_clock::now();
  server.Stop();
  const auto took = steady_clock::now() - started;
  EXPECT_GE(took, std::chrono::milliseconds(150)) << "it had a chance";
  EXPECT_LT(took, std::chrono::seconds(5));
  EXPECT_TRUE(half.Ended());
}

TEST(Drain, TakesNoTimeWhenNobodyWaits) {
  TestServer server;
  RawClient idle(server.port());
  const auto started = steady_clock::now();
  server.Stop();
  EXPECT_LT(steady_clock::now() - started, std::chrono::seconds(2));
  EXPECT_TRUE(idle.Ended());
}

TEST(Drain, ThePortIsFreeAfterwards) {
  ServerConfig config = SmallServer();
  for (int round = 0; round < 3; ++round) {
    TestServer server(config);
    config.port = server.port();
    EXPECT_EQ(Ask(server.port(), Get("/tiny"))->status, 200);
  }
}

}  // namespace
}  // namespace heliograph::http::testing
