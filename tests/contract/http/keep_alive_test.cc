// When a connection stays and when it ends (RFC 9112, section 9), and what each answer carries.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "contract/http/raw_client.h"
#include "contract/http/test_server.h"

namespace heliograph::http::testing {
namespace {

struct Persistence {
  const char* version;
  const char* field;
  bool stays;
  const char* says;  // the answer's Connection field, "" = none
};

TEST(KeepAlive, FollowsVersionAndConnectionField) {
  TestServer server;
  const Persistence table[] = {
      {"1.1", "", true, ""},
      {"1.1", "Connection: keep-alive\r\n", true, ""},
      {"1.1", "Connection: close\r\n", false, "close"},
      {"1.1", "Connection: CLOSE\r\n", false, "close"},
      {"1.1", "Connection: x, close\r\n", false, "close"},
      {"1.1", "Connection: x\r\nConnection: close\r\n", false, "close"},
      {"1.1", "Connection: upgrade\r\nUpgrade: h2c\r\n", true, ""},
      {"1.0", "", false, "close"},
      {"1.0", "Connection: keep-alive\r\n", true, "keep-alive"},
      {"1.0", "Connection: close\r\n", false, "close"},
  };
  for (const Persistence& row : table) {
    SCOPED_TRACE(std::string(row.version) + " " + row.field);
    RawClient client(server.port());
    client.Send("GET /tiny HTTP/" + std::string(row.version) + "\r\nHost: test\r\n" + row.field +
                "\r\n");
    const auto first = client.ReadAnswer();
    ASSERT_TRUE(first.has_value());
    EXPECT_EQ(first->status, 200);
    EXPECT_EQ(first->headers.count("connection") != 0 ? first->headers.at("connection") : "",
              row.says);
    if (row.stays) {
      client.Send(Get("/things/again"));
      const auto second = client.ReadAnswer();
      ASSERT_TRUE(second.has_value());
      EXPECT_EQ(second->body, "again");
    } else {
      EXPECT_EQ(client.ReadToEnd(), "") << "really closed";
    }
  }
}

TEST(KeepAlive, WhatFollowsConnectionCloseIsNotExecuted) {
  TestServer server;
  RawClient client(server.port());
  client.Send(Get("/tiny", "Connection: close\r\n") + Get("/things/smuggled"));
  ASSERT_TRUE(client.ReadAnswer().has_value());
  EXPECT_EQ(client.ReadToEnd(), "");
  EXPECT_EQ(server.handled(), 1);
}

TEST(KeepAlive, ErrorsOfTheRouterKeepTheConnection) {
  TestServer server;
  RawClient client(server.port());
  client.Send(Get("/nowhere") + Post("/tiny", "body") + Get("/throw-error") + Get("/tiny"));
  for (const int status : {404, 405, 500, 200}) {
    const auto answer = client.ReadAnswer();
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->status, status);
  }
}

TEST(KeepAlive, AThousandPipelinedRequestsAreAnsweredInOrder) {
  TestServer server;
  RawClient client(server.port());
  std::string all;
  for (int i = 0; i < 1000; ++i) all += Get("/things/" + std::to_string(i));
  client.Send(all);
  for (int i = 0; i < 1000; ++i) {
    const auto answer = client.ReadAnswer();
    ASSERT_TRUE(answer.has_value()) << i;
    ASSERT_EQ(answer->body, std::to_string(i));
  }
}

TEST(KeepAlive, AHalfClosedClientGetsItsAnswers) {
  TestServer server;
  RawClient client(server.port());
  client.Send(Get("/slow") + Get("/things/2"));
  client.ShutWriting();
  ASSERT_TRUE(Eventually([&] { return server.slow_waiting() == 1; }));
  server.Release();
  const auto first = client.ReadAnswer();
  const auto second = client.ReadAnswer();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->body, "slow");
  EXPECT_EQ(second->body, "2");
  EXPECT_EQ(client.ReadToEnd(), "") << "and then the connection ends";
}

TEST(KeepAlive, AHalfClosedHalfRequestIsRefused) {
  TestServer server;
  RawClient client(server.port());
  client.Send("GET /tiny HTT");
  client.ShutWriting();
  const auto answer = client.ReadAnswer();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 400);
  EXPECT_EQ(client.ReadToEnd(), "");
}

TEST(Answers, HeadHasNoBodyButItsLength) {
  TestServer server;
  RawClient client(server.port());
  client.Send("HEAD /big?bytes=12345 HTTP/1.1\r\nHost: test\r\n\r\n" + Get("/tiny"));
  const auto head = client.ReadAnswer(false);
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(head->status, 200);
  EXPECT_EQ(head->headers.at("content-length"), "12345");
  const auto next = client.ReadAnswer();
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(next->body, R"({"ok":true})");
}

TEST(Answers, NoContentHasNeitherBodyNorLength) {
  TestServer server;
  RawClient client(server.port());
  client.Send(Get("/no-content") + Get("/tiny"));
  const auto none = client.ReadAnswer();
  ASSERT_TRUE(none.has_value());
  EXPECT_EQ(none->status, 204);
  EXPECT_FALSE(none->headers.contains("content-length"));
  EXPECT_FALSE(none->headers.contains("content-type"));
  EXPECT_EQ(client.ReadAnswer()->status, 200);
}

TEST(Answers, OptionsAndAllow) {
  TestServer server;
  const auto options = Ask(server.port(), "OPTIONS /tiny HTTP/1.1\r\nHost: test\r\n\r\n");
  ASSERT_TRUE(options.has_value());
  EXPECT_EQ(options->status, 204);
  EXPECT_EQ(options->headers.at("allow"), "GET, HEAD, OPTIONS");
  const auto everything = Ask(server.port(), "OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n");
  ASSERT_TRUE(everything.has_value());
  EXPECT_EQ(everything->status, 204);
  const auto refused = Ask(server.port(), Post("/tiny", ""));
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->status, 405);
  EXPECT_EQ(refused->headers.at("allow"), "GET, HEAD, OPTIONS");
}

TEST(Answers, CarryDateAndNoBanner) {
  TestServer server;
  const auto answer = Ask(server.port(), Get("/tiny"));
  ASSERT_TRUE(answer.has_value());
  EXPECT_THAT(
      answer->headers.at("date"),
      ::testing::MatchesRegex("(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} [A-Z][a-z]{2} [0-9]{4} "
                              "[0-9]{2}:[0-9]{2}:[0-9]{2} GMT"));
  EXPECT_FALSE(answer->headers.contains("server"));
}

TEST(Answers, CarryARequestId) {
  TestServer server;
  const auto given = Ask(server.port(), Get("/see", "X-Request-Id: abc-1.2:3_4\r\n"));
  ASSERT_TRUE(given.has_value());
  EXPECT_EQ(given->headers.at("x-request-id"), "abc-1.2:3_4");
  EXPECT_NE(given->body.find("id=abc-1.2:3_4"), std::string::npos);
  for (const std::string& insane :
       {std::string("a b"), std::string("a\"b"), std::string(), std::string(129, 'x')}) {
    const auto made = Ask(server.port(), Get("/see", "X-Request-Id: " + insane + "\r\n"));
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(made->headers.at("x-request-id").size(), 36U)
        << "a new one instead of '" << insane << "'";
  }
}

TEST(Answers, AHandlersHeaderCannotBreakTheFraming) {
  TestServer server;
  const auto answer = Ask(server.port(), Get("/bad-header"));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->headers.at("x-good"), "1");
  EXPECT_FALSE(answer->headers.contains("x-bad"));
  EXPECT_FALSE(answer->headers.contains("x-smuggled"));
  EXPECT_FALSE(answer->headers.contains("bad name"));
  EXPECT_EQ(answer->headers.at("content-length"), "1");
}

}  // namespace
}  // namespace heliograph::http::testing
