// The client against a server on loopback that misbehaves on purpose.
#include "http_client/client.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "integration/http_client/scripted_server.h"

namespace heliograph::http_client {
namespace {

using base::ErrorCode;
using std::chrono::milliseconds;
using Then = ScriptedServer::Then;

constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Thing: a: b \r\n\r\nhi";

TEST(Client, CarriesTheRequestAndReadsTheAnswer) {
  ScriptedServer server(kOk, Then::kKeepsOpen);
  Client client({});
  const auto response = client.Send({.method = "POST",
                                     .url = server.url() + "/v1/actions",
                                     .headers = {{"Authorization", "Bearer x"}, {"X-Empty", ""}},
                                     .body = std::string("a\0b", 3)});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "hi");
  EXPECT_EQ(response->Header("x-thing"), "a: b");
  EXPECT_EQ(response->Header("x-none"), std::nullopt);
  ASSERT_EQ(server.requests().size(), 1u);
  const std::string request = server.requests().front();
  EXPECT_TRUE(request.starts_with("POST /v1/actions HTTP/1.1\r\n")) << request;
  EXPECT_NE(request.find("\r\nAuthorization: Bearer x\r\n"), request.npos) << request;
  EXPECT_NE(request.find("\r\nX-Empty:\r\n"), request.npos) << request;
  EXPECT_EQ(request.find("Expect:"), request.npos) << "would cost a round trip";
  EXPECT_TRUE(request.ends_with(std::string("\r\n\r\na\0b", 7))) << "byte for byte";
}

TEST(Client, SendsAnEmptyPostWithALength) {
  ScriptedServer server(kOk, Then::kKeepsOpen);
  Client client({});
  ASSERT_TRUE(client.Send({.method = "POST", .url = server.url()}));
  EXPECT_NE(server.requests().front().find("Content-Length: 0\r\n"), std::string::npos);
}

TEST(Client, KeepsTheConnection) {
  ScriptedServer server(kOk, Then::kKeepsOpen);
  Client client({});
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(client.Send({.url = server.url()}));
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(server.requests().size(), 3u);
}

// What came of an answer that goes on; it takes pieces until it has so many bytes.
struct Heard {
  std::string text;
  std::size_t enough = 1000;
  std::function<bool(std::string_view)> Take() {
    return [this](std::string_view piece) {
      text += piece;
      return text.size() < enough;
    };
  }
};

TEST(Client, ListensUntilTheServerEnds) {
  ScriptedServer server("HTTP/1.1 200 OK\r\n\r\ndata: 1\n\n", Then::kCloses);
  ClientConfig config;
  config.max_response_bytes = 1;
  Client client(config);
  Heard heard;
  const auto response = client.Listen({.url = server.url()}, milliseconds(30'000), heard.Take());
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "");
  EXPECT_EQ(heard.text, "data: 1\n\n");
}

TEST(Client, ListensNoLongerThanItsCallerWants) {
  ScriptedServer server("HTTP/1.1 200 OK\r\n\r\n1234567890", Then::kKeepsOpen);
  Client client({});
  Heard heard;
  heard.enough = 10;
  EXPECT_TRUE(client.Listen({.url = server.url()}, milliseconds(30'000), heard.Take()));
  EXPECT_EQ(heard.text, "1234567890");
}

TEST(Client, ListensNoLongerThanSomethingComes) {
  ScriptedServer server("HTTP/1.1 200 OK\r\n\r\nfirst", Then::kKeepsOpen);
  ClientConfig config;
  config.timeout = milliseconds(1);
  Client client(config);
  Heard heard;
  const auto response = client.Listen({.url = server.url()}, milliseconds(300), heard.Take());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(heard.text, "first") << "the timeout of a call does not count here";
}

TEST(Client, ARefusalIsNothingToListenTo) {
  ScriptedServer server("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", Then::kKeepsOpen);
  Client client({});
  Heard heard;
  const auto response = client.Listen({.url = server.url()}, milliseconds(30'000), heard.Take());
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 403);
  EXPECT_EQ(response->body, "no");
  EXPECT_EQ(heard.text, "");
}

TEST(Client, FollowsNoRedirect) {
  ScriptedServer server("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
                        Then::kKeepsOpen);
  Client client({});
  const auto response = client.Send({.url = server.url()});
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 302);
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST(Client, HeadersOf100ContinueAreNotTheAnswers) {
  ScriptedServer server(std::string("HTTP/1.1 100 Continue\r\nX-Thing: wrong\r\n\r\n") + kOk,
                        Then::kKeepsOpen);
  Client client({});
  const auto response = client.Send({.method = "POST", .url = server.url(), .body = "x"});
  ASSERT_TRUE(response);
  EXPECT_EQ(response->Header("x-thing"), "a: b");
}

TEST(Client, NobodyListens) {
  std::string url;
  {
    const ScriptedServer gone("", Then::kCloses);
    url = gone.url();
  }
  const auto response = Client({}).Send({.url = url});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(response.error().message.find(url), std::string::npos) << "the message names the URL";
}

TEST(Client, AServerThatHangsUpIsUnavailable) {
  ScriptedServer server("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this", Then::kCloses);
  const auto response = Client({}).Send({.url = server.url()});
  ASSERT_FALSE(response) << "half an answer is no answer";
  EXPECT_EQ(response.error().code, ErrorCode::kUnavailable);
}

TEST(Client, WhatIsNoHttpIsUnavailable) {
  for (const char* garbage : {"SSH-2.0-OpenSSH\r\n", "HTTP/9.9 what\r\n\r\n", "\x16\x03\x01"}) {
    ScriptedServer server(garbage, Then::kCloses);
    const auto response = Client({}).Send({.url = server.url()});
    ASSERT_FALSE(response) << garbage;
    EXPECT_EQ(response.error().code, ErrorCode::kUnavailable) << response.error().message;
  }
}

TEST(Client, ASilentServerRunsIntoTheDeadline) {
  ScriptedServer server("", Then::kKeepsOpen);
  ClientConfig config;
  config.timeout = milliseconds(100);
  const auto began = std::chrono::steady_clock::now();
  const auto response = Client(config).Send({.url = server.url()});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
}

TEST(Client, TakesNoMoreThanItsLimit) {
  ScriptedServer server("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nhello, world",
                        Then::kKeepsOpen);
  ClientConfig config;
  config.max_response_bytes = 11;
  const auto refused = Client(config).Send({.url = server.url()});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kTooLarge);
  config.max_response_bytes = 12;
  EXPECT_TRUE(Client(config).Send({.url = server.url()}));
}

TEST(Client, CutsWhatIsTooLong) {
  const std::string endless(4 * 1024 * 1024, 'x');
  ScriptedServer server("HTTP/1.1 200 OK\r\nX-Thing: a\r\n\r\n" + endless, Then::kCloses);
  ClientConfig config;
  config.max_response_bytes = 11;
  config.cut_long_answers = true;
  const auto response = Client(config).Send({.url = server.url()});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, std::string(11, 'x'));
  EXPECT_TRUE(response->cut);
}

TEST(Client, TakesOnlySoManyHeaders) {
  std::string answer = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 30'000; ++i) answer += "X-Header: 1234567890\r\n";
  ScriptedServer server(answer + "Content-Length: 0\r\n\r\n", Then::kCloses);
  const auto response = Client({}).Send({.url = server.url()});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::kTooLarge);
}

struct BadRequest {
  const char* why;
  Request request;
};

TEST(Client, SendsNothingThatWouldBeTwoRequests) {
  ScriptedServer server(kOk, Then::kKeepsOpen);
  const std::string url = server.url();
  for (const BadRequest& bad : std::initializer_list<BadRequest>{
           {"a header's value with a line end", {.url = url, .headers = {{"X", "a\r\nY: b"}}}},
           {"a header's name with a line end", {.url = url, .headers = {{"X\r\nY", "a"}}}},
           {"a header without a name", {.url = url, .headers = {{"", "a"}}}},
           {"a method with a line end", {.method = "GET / HTTP/1.1\r\nX: y", .url = url}},
           {"a local file", {.url = "file:///etc/hostname"}},
       }) {
    const auto response = Client({}).Send(bad.request);
    ASSERT_FALSE(response) << bad.why;
    EXPECT_EQ(response.error().code, ErrorCode::kInvalidArgument) << bad.why;
  }
  EXPECT_TRUE(server.requests().empty());
}

}  // namespace
}  // namespace heliograph::http_client
