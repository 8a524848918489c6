#include "api/guard.h"

#include <gtest/gtest.h>

#include "json/json.h"

namespace heliograph::api {
namespace {

class OneToken final : public auth::Authenticator {
 public:
  base::Result<auth::Principal> Authenticate(std::string_view token) override {
    if (token == "away") return base::MakeError(base::ErrorCode::kUnavailable, "no keys");
    if (token != "good")
      return base::MakeError(base::ErrorCode::kUnauthenticated, "the token is not known");
    return auth::Principal{"billing", "acme", {auth::Scope::kConnectionsRead}};
  }
};

class GuardTest : public testing::Test {
 protected:
  http::Response Call(auth::Scope scope, const char* authorization) {
    http::Request request;
    if (authorization != nullptr) request.headers.emplace_back("authorization", authorization);
    return guard_.Protect(scope, [](const http::Request&, const auth::Principal& caller) {
      http::Response response;
      response.body = caller.name + "@" + TenantOf(caller)->str();
      return response;
    })(request);
  }
  static std::string Header(const http::Response& response, std::string_view name) {
    for (const auto& [each, value] : response.headers) {
      if (each == name) return value;
    }
    return "";
  }

  OneToken tokens_;
  const Guard guard_{tokens_};
};

TEST_F(GuardTest, LetsInWhoMay) {
  const http::Response response = Call(auth::Scope::kConnectionsRead, "Bearer good");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "billing@acme");
}

TEST_F(GuardTest, AsksForAToken) {
  for (const char* header :
       {static_cast<const char*>(nullptr), "", "Basic good", "Bearer bad", "good"}) {
    const http::Response response = Call(auth::Scope::kConnectionsRead, header);
    EXPECT_EQ(response.status, 401);
    EXPECT_EQ(Header(response, "www-authenticate"), "Bearer realm=\"heliograph\"");
    EXPECT_EQ((*json::Parse(response.body))["type"], "/problems/unauthenticated");
  }
}

TEST_F(GuardTest, AsksForTheScope) {
  const http::Response response = Call(auth::Scope::kActionsWrite, "Bearer good");
  EXPECT_EQ(response.status, 403);
  EXPECT_NE(Header(response, "www-authenticate").find("scope=\"actions:write\""),
            std::string::npos);
}

TEST_F(GuardTest, DoesNotCallAwayWrong) {
  const http::Response response = Call(auth::Scope::kConnectionsRead, "Bearer away");
  EXPECT_EQ(response.status, 503);
  EXPECT_FALSE(Header(response, "retry-after").empty());
}

}  // namespace
}  // namespace heliograph::api
