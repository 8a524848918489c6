// The authoriser against a service on loopback that also answers wrongly, or not at all.
#include "auth/user_authoriser.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "integration/http_client/scripted_server.h"

namespace heliograph::auth {
namespace {

using http_client::ScriptedServer;
using std::chrono::seconds;
using Then = ScriptedServer::Then;

class ManualClock final : public base::Clock {
 public:
  base::Timestamp Now() const override { return {}; }
  base::SteadyTime SteadyNow() const override { return now; }
  base::SteadyTime now{std::chrono::hours(1)};
};

std::string Answer(const std::string& body, const std::string& status = "200 OK") {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

class UserAuthoriserTest : public testing::Test {
 protected:
  UserAuthoriser& Against(const ScriptedServer& server) {
    config_.url = server.url() + "/may";
    authoriser_ = std::make_unique<UserAuthoriser>(config_, clock_, metrics_);
    return *authoriser_;
  }

  const Question question_{"ann", "acme", "echo", {"d-1", "d-2"}};
  UserAuthorisationConfig config_;
  ManualClock clock_;
  metrics::Registry metrics_;
  std::unique_ptr<UserAuthoriser> authoriser_;
};

TEST_F(UserAuthoriserTest, AsksAndRemembersForAWhile) {
  const ScriptedServer server(Answer(R"({"allowed":["d-1"]})"), Then::kKeepsOpen);
  config_.token = base::Secret("our-token");
  UserAuthoriser& authoriser = Against(server);
  for (int i = 0; i < 3; ++i) {
    const auto permission = authoriser.Ask(question_);
    ASSERT_TRUE(permission) << permission.error().message;
    EXPECT_TRUE((*permission)->Includes("d-1"));
    EXPECT_FALSE((*permission)->Includes("d-2"));
  }
  ASSERT_EQ(server.requests().size(), 1U) << "once for equal questions";
  const std::string request = server.requests().front();
  EXPECT_TRUE(request.starts_with("POST /may HTTP/1.1\r\n")) << request;
  EXPECT_NE(request.find("\r\nauthorization: Bearer our-token\r\n"), request.npos) << request;
  EXPECT_TRUE(request.ends_with("\r\n\r\n" + WriteQuestion(question_))) << request;
  Question other = question_;
  other.tenant = "rival";
  ASSERT_TRUE(authoriser.Ask(other));
  EXPECT_EQ(server.requests().size(), 2U) << "an answer is for one tenant's user";
  clock_.now += config_.remember;
  ASSERT_TRUE(authoriser.Ask(question_));
  EXPECT_EQ(server.requests().size(), 3U) << "what was revoked must not count for long";
}

TEST_F(UserAuthoriserTest, TakesNoAnswerForNeitherYesNorNo) {
  const std::pair<std::string, const char*> cases[] = {
      {Answer(R"({"allowed":"all"})", "500 Internal Server Error"), "broken"},
      {Answer(R"({"allowed":"all"})", "401 Unauthorized"), "it does not know us"},
      {Answer(R"({"allowed":"all"})", "302 Found"), "somewhere else"},
      {Answer(R"({"allowed":[]})", "403 Forbidden"), "it refuses us, not the user"},
      {Answer("<html>"), "something else"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"allowed\":\"all\"}", "half an answer"},
  };
  for (const auto& [bytes, why] : cases) {
    const ScriptedServer server(bytes, Then::kCloses);
    const auto permission = Against(server).Ask(question_);
    ASSERT_FALSE(permission) << why;
    EXPECT_EQ(permission.error().code, base::ErrorCode::kUnavailable) << why;
  }
}

TEST_F(UserAuthoriserTest, LeavesAServiceAloneThatDoesNotAnswer) {
  const ScriptedServer server("", Then::kCloses);
  config_.breaker_failures = 2;
  UserAuthoriser& authoriser = Against(server);
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(authoriser.Ask(question_));
  // libcurl tries once more where a kept connection may have been closed by then.
  const int connections = server.connections();
  EXPECT_LE(connections, 4);
  EXPECT_FALSE(authoriser.Ask(question_));
  EXPECT_EQ(server.connections(), connections) << "not asked";
  clock_.now += config_.breaker_open;
  EXPECT_FALSE(authoriser.Ask(question_));
  EXPECT_GT(server.connections(), connections) << "tried again";
}

TEST_F(UserAuthoriserTest, AQuestionThatIsRefusedShutsNobodyElseOut) {
  const ScriptedServer server(Answer("{}", "413 Content Too Large"), Then::kKeepsOpen);
  config_.breaker_failures = 2;
  UserAuthoriser& authoriser = Against(server);
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(authoriser.Ask(question_));
  EXPECT_EQ(server.requests().size(), 5U) << "it is asked each time";
}

TEST_F(UserAuthoriserTest, HoldsAFewThreadsOnlyWhenItIsSlow) {
  const ScriptedServer server("", Then::kKeepsOpen);
  config_.http.timeout = std::chrono::milliseconds(1500);
  config_.max_calls = 2;
  UserAuthoriser& authoriser = Against(server);
  std::atomic<int> at_once = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 20; ++i) {
    threads.emplace_back([&] {
      const auto begin = std::chrono::steady_clock::now();
      EXPECT_FALSE(authoriser.Ask(question_));
      if (std::chrono::steady_clock::now() - begin < config_.http.timeout / 2) ++at_once;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(at_once, 10) << "two ask, two wait, the others are told at once";
}

TEST_F(UserAuthoriserTest, DoesNotWaitForLong) {
  const ScriptedServer server("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Then::kKeepsOpen);
  config_.http.timeout = std::chrono::milliseconds(50);
  const auto permission = Against(server).Ask(question_);
  ASSERT_FALSE(permission);
  EXPECT_EQ(permission.error().code, base::ErrorCode::kUnavailable);
}

TEST_F(UserAuthoriserTest, AsksEachTimeForManyDevices) {
  std::string ids = "\"d-0\"";
  for (int i = 1; i <= 100; ++i) ids += ",\"d-" + std::to_string(i) + "\"";
  const ScriptedServer server(Answer("{\"allowed\":[" + ids + "]}"), Then::kKeepsOpen);
  UserAuthoriser& authoriser = Against(server);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(authoriser.Ask(question_));
  EXPECT_EQ(server.requests().size(), 2U);
}

}  // namespace
}  // namespace heliograph::auth
