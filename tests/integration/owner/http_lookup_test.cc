// The look-up against a real service that is also slow, wrong, or not there.
#include "owner/http_lookup.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>

#include "contract/owner/owner_service.h"
#include "integration/http_client/scripted_server.h"

namespace heliograph::owner {
namespace {

using device::ClientId;
using device::TenantId;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr auto kConnecting = Urgency::kConnecting;
constexpr auto kInBackground = Urgency::kInBackground;

std::vector<ClientId> Devices(int count) {
  std::vector<ClientId> ids;
  for (int i = 0; i < count; ++i) ids.emplace_back("pv-" + std::to_string(i));
  return ids;
}

OwnerService::Owners All(const std::vector<ClientId>& ids, const char* tenant) {
  OwnerService::Owners owners;
  for (const ClientId& id : ids) owners.emplace(id, TenantId(tenant));
  return owners;
}

class HttpLookupTest : public testing::Test {
 protected:
  HttpLookupTest() {
    config_.wait = seconds(20);
    config_.max_calls = 4;
  }
  ~HttpLookupTest() override {
    service_.Release();
    threads_.clear();
  }

  HttpLookup& Start(const std::string& url) {
    config_.url = url;
    lookup_ = std::make_unique<HttpLookup>(config_, clock_, metrics_);
    for (std::size_t i = 0; i < lookup_->servers(); ++i) {
      threads_.emplace_back([this](const std::stop_token& stop) { lookup_->Serve(stop); });
    }
    return *lookup_;
  }

  Answer Ask(const ClientId& id, Urgency urgency = kConnecting) {
    return lookup_->Resolve(std::span(&id, 1), urgency).front();
  }

  template <class Predicate>
  bool Comes(Predicate predicate) {
    const auto end = steady_clock::now() + seconds(20);
    while (steady_clock::now() < end) {
      if (predicate()) return true;
      std::this_thread::sleep_for(milliseconds(5));
    }
    return false;
  }

  double Questions(const std::string& result) {
    return metrics_
        .AddCounter("heliograph_owner_questions_total",
                    "Questions who owns a device, by what became of them.", {{"result", result}})
        .Value();
  }

  OwnerService service_;
  HttpConfig config_;
  ManualClock clock_;
  metrics::Registry metrics_;
  std::unique_ptr<HttpLookup> lookup_;
  std::vector<std::jthread> threads_;
};

TEST_F(HttpLookupTest, AsksAsItIsDocumented) {
  service_.Change({{ClientId("a:b"), TenantId("north")}});
  config_.token = base::Secret("our-token");
  Start(service_.url());
  EXPECT_EQ(Ask(ClientId("a:b")), (Answer{true, TenantId("north")}));
  const auto requests = service_.requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].method, "GET");
  EXPECT_EQ(requests[0].raw_path, "/owners/a%3Ab");
  EXPECT_EQ(requests[0].Query("subject"), "CN=a:b");
  EXPECT_EQ(requests[0].Header("authorization"), "Bearer our-token");
  EXPECT_EQ(requests[0].Header("accept"), "application/json");
  EXPECT_EQ(Ask(ClientId("nobodys")), (Answer{true, std::nullopt})) << "404";
  EXPECT_EQ(Questions("owned"), 1);
  EXPECT_EQ(Questions("nobody"), 1);
}

TEST_F(HttpLookupTest, RemembersForAsLongAsItIsConfigured) {
  service_.Change({{ClientId("a"), TenantId("north")}});
  Start(service_.url());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Ask(ClientId("a")).owner, TenantId("north"));
  EXPECT_EQ(service_.requests().size(), 1U);
  service_.Change({{ClientId("a"), TenantId("south")}});
  clock_.Pass(config_.cache - seconds(1));
  EXPECT_EQ(Ask(ClientId("a")).owner, TenantId("north"));
  clock_.Pass(seconds(1));
  EXPECT_EQ(Ask(ClientId("a")).owner, TenantId("south"));
  EXPECT_EQ(Questions("remembered"), 3);
}

TEST_F(HttpLookupTest, ManyNewDevicesAreAskedAboutAFewAtATimeAndEachOnce) {
  const auto ids = Devices(2000);
  service_.Change(All(ids, "north"));
  Start(service_.url());
  for (const Answer& answer : lookup_->Resolve(ids, kConnecting)) {
    ASSERT_EQ(answer, (Answer{true, TenantId("north")}));
  }
  EXPECT_LE(service_.most_at_a_time(), 4U);
  std::set<std::string> paths;
  for (const http::Request& one : service_.requests()) paths.insert(one.path);
  EXPECT_EQ(paths.size(), ids.size());
  EXPECT_EQ(service_.requests().size(), ids.size());
}

TEST_F(HttpLookupTest, WhatComesAfterTheWaitIsToldTheNextTime) {
  config_.wait = milliseconds(30);
  service_.Change({{ClientId("a"), TenantId("north")}});
  service_.Hold();
  Start(service_.url());
  EXPECT_EQ(Ask(ClientId("a")), Answer{}) << "not told, and not nobody's either";
  EXPECT_EQ(Ask(ClientId("a")), Answer{});
  service_.Release();
  EXPECT_TRUE(Comes([this] { return Ask(ClientId("a"), kInBackground).told; }));
  EXPECT_EQ(Ask(ClientId("a"), kInBackground).owner, TenantId("north"));
  EXPECT_EQ(service_.requests().size(), 1U) << "asked once, however often it was wanted";
}

TEST_F(HttpLookupTest, NobodyInTheBackgroundWaits) {
  service_.Hold();
  Start(service_.url());
  const auto begin = steady_clock::now();
  for (const Answer& answer : lookup_->Resolve(Devices(5000), kInBackground)) {
    ASSERT_FALSE(answer.told);
  }
  EXPECT_LT(steady_clock::now() - begin, config_.wait / 2);
}

TEST_F(HttpLookupTest, NobodyWaitsForAServiceThatDoesNotAnswerAndItIsLeftAlone) {
  config_.http.timeout = milliseconds(100);
  config_.breaker_failures = 3;
  service_.Hold();
  Start(service_.url());
  const auto ids = Devices(1000);
  const auto begin = steady_clock::now();
  for (const Answer& answer : lookup_->Resolve(ids, kConnecting)) ASSERT_FALSE(answer.told);
  EXPECT_LT(steady_clock::now() - begin, config_.wait / 2)
      << "it waits no longer once that is known";
  const Condition condition = lookup_->condition();
  EXPECT_NE(condition.trouble, "");
  EXPECT_TRUE(condition.usable) << "what devices say goes on";
  const auto again = steady_clock::now();
  lookup_->Resolve(ids, kConnecting);
  EXPECT_LT(steady_clock::now() - again, config_.wait / 2);
  std::this_thread::sleep_for(5 * config_.http.timeout);  // for as many as would be asked
  EXPECT_LE(service_.requests().size(), 3U + 4U) << "those that were on their way";
  service_.Change(All(ids, "north"));
  service_.Release();
  clock_.Pass(config_.breaker_open);
  EXPECT_TRUE(Comes([&] {
    const auto answers = lookup_->Resolve(ids, kInBackground);
    clock_.Pass(milliseconds(10));  // until those may be asked about again that were in vain
    return std::ranges::all_of(answers, [](const Answer& one) { return one.told; });
  })) << "what waited is asked now";
  EXPECT_EQ(lookup_->condition().trouble, "");
}

TEST_F(HttpLookupTest, AnswersThatAreNoneAreNeitherYesNorNo) {
  http::Response answer;
  service_.Answer([&answer] { return answer; });
  config_.breaker_failures = 1000;
  Start(service_.url());
  const std::pair<int, std::string> cases[] = {
      {500, R"({"tenant":"north"})"}, {200, "<html>"}, {200, R"({"tenant":7})"},
      {302, R"({"tenant":"north"})"}, {401, "{}"},
  };
  int n = 0;
  for (const auto& [status, body] : cases) {
    answer.status = status;
    answer.body = body;
    answer.headers = {{"location", "/owners/elsewhere"}};
    const ClientId id("pv-" + std::to_string(n++));
    EXPECT_EQ(Ask(id), Answer{}) << status << " " << body;
    EXPECT_EQ(Ask(id), Answer{}) << "and not asked about at once again";
  }
  EXPECT_EQ(Questions("wrong"), n);
  EXPECT_EQ(service_.requests().size(), static_cast<std::size_t>(n)) << "no redirect is followed";
  answer.status = 422;
  EXPECT_EQ(Ask(ClientId("odd")), Answer{});
  EXPECT_EQ(Questions("refused"), 1);
  service_.Answer(nullptr);
  service_.Change({{ClientId("odd"), TenantId("north")}});
  clock_.Pass(seconds(1));
  EXPECT_EQ(Ask(ClientId("odd")).owner, TenantId("north")) << "a second later it is asked again";
}

TEST_F(HttpLookupTest, HalfAnAnswerIsNone) {
  const http_client::ScriptedServer server(
      "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"tenant\":\"north\"}",
      http_client::ScriptedServer::Then::kCloses);
  Start(server.url() + "/{client_id}");
  EXPECT_EQ(Ask(ClientId("a")), Answer{});
  EXPECT_EQ(Questions("unanswered"), 1);
}

TEST_F(HttpLookupTest, ItsRevisionChangesWithTheCalendarAndTheService) {
  HttpLookup& lookup = Start(service_.url());
  const std::string before = lookup.Revision();
  clock_.Pass(config_.check / 2);
  EXPECT_EQ(lookup.Revision(), before);
  clock_.Pass(config_.check / 2);
  EXPECT_NE(lookup.Revision(), before);
  HttpConfig other = config_;
  other.url = "https://id.example/{client_id}";
  EXPECT_NE(HttpLookup(other, clock_, metrics_).Revision(), lookup.Revision());
}

TEST_F(HttpLookupTest, ADeviceNamedLikeAFolderIsNotAskedAbout) {
  Start(service_.url());
  EXPECT_EQ(Ask(ClientId("..")), Answer{});
  EXPECT_TRUE(service_.requests().empty());
}

}  // namespace
}  // namespace heliograph::owner
