// Many calls at a time: none waits for another.
#include "http_client/transfers.h"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <thread>

#include "integration/http_client/scripted_server.h"

namespace heliograph::http_client {
namespace {

using base::ErrorCode;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using Then = ScriptedServer::Then;

constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

void RunUntil(Transfers& transfers, const auto& is_enough) {
  const auto deadline = steady_clock::now() + seconds(20);
  while (!is_enough() && steady_clock::now() < deadline) transfers.Run(milliseconds(50));
}

TEST(Transfers, ASilentServerHoldsUpNobody) {
  ScriptedServer silent("", Then::kKeepsOpen);
  ScriptedServer quick(kOk, Then::kKeepsOpen);
  ClientConfig config;
  config.timeout = milliseconds(700);
  Transfers transfers(config, 8);
  int answered = 0;
  int late = 0;
  transfers.Start({.url = silent.url()}, [&](base::Result<Response> response) {
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, ErrorCode::kDeadlineExceeded);
    EXPECT_EQ(answered, 20) << "the others were there first";
    ++late;
  });
  std::function<void(base::Result<Response>)> again = [&](base::Result<Response> response) {
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->status, 200);
    if (++answered < 20) transfers.Start({.url = quick.url()}, again);
  };
  transfers.Start({.url = quick.url()}, again);
  EXPECT_EQ(transfers.under_way(), 2u);
  RunUntil(transfers, [&] { return late == 1; });
  EXPECT_EQ(late, 1);
  EXPECT_EQ(quick.connections(), 1) << "kept";
  EXPECT_EQ(transfers.under_way(), 0u);
}

TEST(Transfers, EachHasItsOwnBody) {
  std::deque<ScriptedServer> servers;
  for (int i = 0; i < 5; ++i) servers.emplace_back(kOk, Then::kKeepsOpen);
  Transfers transfers({}, 5);
  int answered = 0;
  for (int i = 0; i < 5; ++i) {
    transfers.Start({.method = "POST",
                     .url = servers[static_cast<std::size_t>(i)].url(),
                     .body = "body " + std::to_string(i)},
                    [&](base::Result<Response> response) { answered += response ? 1 : 0; });
  }
  RunUntil(transfers, [&] { return answered == 5; });
  ASSERT_EQ(answered, 5);
  for (int i = 0; i < 5; ++i) {
    const auto requests = servers[static_cast<std::size_t>(i)].requests();
    ASSERT_EQ(requests.size(), 1u);
    EXPECT_TRUE(requests.front().ends_with("\r\n\r\nbody " + std::to_string(i)));
  }
}

TEST(Transfers, WhatCannotBeSentIsTold) {
  Transfers transfers({}, 5);
  int told = 0;
  transfers.Start({.url = "file:///etc/hostname"}, [&](base::Result<Response> response) {
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, ErrorCode::kInvalidArgument);
    ++told;
  });
  transfers.Start({.url = "http://127.0.0.1", .headers = {{"X", "a\r\nb"}}},
                  [&](base::Result<Response> response) {
                    ASSERT_FALSE(response);
                    EXPECT_EQ(response.error().code, ErrorCode::kInvalidArgument);
                    ++told;
                  });
  RunUntil(transfers, [&] { return told == 2; });
  EXPECT_EQ(told, 2);
}

TEST(Transfers, WakeEndsTheWait) {
  Transfers transfers({}, 5);
  const auto began = steady_clock::now();
  std::thread waker([&] { transfers.Wake(); });
  transfers.Run(seconds(60));
  waker.join();
  EXPECT_LT(steady_clock::now() - began, seconds(30));
}

TEST(Transfers, TheEndWaitsForNobody) {
  ScriptedServer silent("", Then::kKeepsOpen);
  const auto began = steady_clock::now();
  {
    Transfers transfers({}, 5);
    transfers.Start({.url = silent.url()},
                    [](base::Result<Response>) { FAIL() << "nobody is to hear of it"; });
    RunUntil(transfers, [&] { return !silent.requests().empty(); });
  }
  EXPECT_LT(steady_clock::now() - began, seconds(10));
}

}  // namespace
}  // namespace heliograph::http_client
