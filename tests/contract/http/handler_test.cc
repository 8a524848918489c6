// What handlers do to the server, and the server to them.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/startup_error.h"
#include "contract/http/raw_client.h"
#include "contract/http/test_server.h"

namespace heliograph::http::testing {
namespace {

TEST(Handlers, MayThrowAnything) {
  TestServer server;
  for (const char* path : {"/throw-int", "/throw-error"}) {
    const auto answer = Ask(server.port(), Get(path));
    ASSERT_TRUE(answer.has_value()) << path;
    EXPECT_EQ(answer->status, 500);
    EXPECT_EQ(answer->body.find("secret"), std::string::npos)
        << "the exception's text is not for the caller";
  }
  EXPECT_EQ(Ask(server.port(), Get("/tiny"))->status, 200);
  EXPECT_NE(server.Metrics().find(R"(route="/throw-int",server="test",status="5xx"} 1)"),
            std::string::npos);
}

TEST(Handlers, SeeWhatWasSent) {
  TestServer server;
  const auto answer =
      Ask(server.port(), Post("/see?q=a%20b+c&q=2", "payload", "Authorization: Bearer x\r\n"));
  ASSERT_TRUE(answer.has_value());
  EXPECT_NE(answer->body.find("method=POST path=/see"), std::string::npos);
  EXPECT_NE(answer->body.find("authorization=Bearer x q=a b c from=127.0.0.1 body=payload"),
            std::string::npos)
      << answer->body;
}

TEST(Handlers, ThatWaitDoNotHoldUpTheSockets) {
  ServerConfig config = SmallServer();
  config.io_threads = 1;
  config.handler_threads = 2;
  TestServer server(config);
  RawClient slow(server.port());
  slow.Send(Get("/slow"));
  ASSERT_TRUE(Eventually([&] { return server.slow_waiting() == 1; }));
  EXPECT_EQ(Ask(server.port(), Get("/tiny"))->status, 200) << "the other handler thread is free";
  EXPECT_EQ(Ask(server.port(), Get("tiny"))->status, 400) << "and a refusal needs none";
  server.Release();
  EXPECT_EQ(slow.ReadAnswer()->body, "slow");
}

TEST(Handlers, MoreThanMayWaitAreAnswered503) {
  ServerConfig config = SmallServer();
  config.handler_threads = 1;
  config.max_waiting_requests = 2;
  TestServer server(config);
  std::vector<std::unique_ptr<RawClient>> clients;
  const auto ask_slowly = [&] {
    clients.push_back(std::make_unique<RawClient>(server.port()));
    clients.back()->Send(Get("/slow"));
  };
  ask_slowly();
  ASSERT_TRUE(Eventually([&] { return server.slow_waiting() == 1; }));
  for (int i = 0; i < 3; ++i) ask_slowly();
  // Two of the three wait; which one is too many is not said.
  ASSERT_TRUE(Eventually([&] { return server.Rejected("overloaded") == 1; }));
  server.Release();
  int overloaded = 0;
  for (const auto& client : clients) {
    const auto answer = client->ReadAnswer();
    ASSERT_TRUE(answer.has_value());
    if (answer->status == 503) {
      ++overloaded;
      EXPECT_EQ(answer->headers.at("retry-after"), "1");
      client->Send(Get("/tiny"));
      EXPECT_EQ(client->ReadAnswer()->status, 200) << "the connection is as good as before";
    }
  }
  EXPECT_EQ(overloaded, 1);
}

TEST(Handlers, ARequestThatWaitedTooLongIsNotExecuted) {
  ServerConfig config = SmallServer();
  config.handler_threads = 1;
  config.request_timeout = std::chrono::milliseconds(50);
  TestServer server(config);
  RawClient first(server.port());
  first.Send(Get("/slow"));
  ASSERT_TRUE(Eventually([&] { return server.slow_waiting() == 1; }));
  RawClient second(server.port());
  second.Send(Get("/things/late"));
  const auto sent = std::chrono::steady_clock::now();
  ASSERT_TRUE(Eventually(
      [&] { return std::chrono::steady_clock::now() - sent > std::chrono::milliseconds(300); }));
  server.Release();
  EXPECT_EQ(first.ReadAnswer()->status, 200);
  EXPECT_EQ(second.ReadAnswer()->status, 503);
  EXPECT_EQ(server.Handled("/things/late"), 0);
}

TEST(Handlers, OutliveClientsThatGoAway) {
  TestServer server;
  for (const bool reset : {false, true}) {
    auto client = std::make_unique<RawClient>(server.port());
    client->Send(Get("/slow"));
    ASSERT_TRUE(Eventually([&] { return server.slow_waiting() == (reset ? 2 : 1); }));
    if (reset) client->Reset();
  }
  // Their descriptors are used again while the handlers run: the answers must not go to the
  // newcomers.
  std::vector<std::unique_ptr<RawClient>> newcomers;
  for (int i = 0; i < 20; ++i) newcomers.push_back(std::make_unique<RawClient>(server.port()));
  server.Release();
  ASSERT_TRUE(Eventually([&] { return server.slow_waiting() == 0; }));
  for (const auto& client : newcomers) {
    client->Send(Get("/tiny"));
    const auto answer = client->ReadAnswer();
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->body, R"({"ok":true})");
  }
}

TEST(Server, SaysWhichAddressItCannotTake) {
  TestServer server;
  ServerConfig config = SmallServer();
  config.port = server.port();
  metrics::Registry registry;
  const auto make = [&] {
    Server another(config, "another", [](const Request&) { return Response(); }, registry);
  };
  try {
    make();
    FAIL() << "the port is taken";
  } catch (const base::StartupError& error) {
    EXPECT_NE(std::string(error.what()).find("127.0.0.1:" + std::to_string(server.port())),
              std::string::npos);
  }
  config.host = "not an address";
  EXPECT_THROW(make(), base::StartupError);
}

TEST(Server, CountsRequestsByTemplate) {
  TestServer server;
  Ask(server.port(), Get("/things/1"));
  Ask(server.port(), Get("/things/2"));
  Ask(server.port(), Get("/nowhere/near"));
  const std::string metrics = server.Metrics();
  EXPECT_NE(
      metrics.find(
          R"(heliograph_http_requests_total{method="GET",route="/things/{id}",server="test",status="2xx"} 2)"),
      std::string::npos);
  EXPECT_NE(metrics.find(R"(route="none",server="test",status="4xx"} 1)"), std::string::npos);
  EXPECT_EQ(metrics.find("nowhere"), std::string::npos) << "a path is never a label";
}

}  // namespace
}  // namespace heliograph::http::testing
