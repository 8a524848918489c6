#include "auth/claims.h"

#include <gtest/gtest.h>

namespace heliograph::auth {
namespace {

constexpr base::Timestamp kNow{std::chrono::seconds(1'800'000'000)};

ClaimRules Rules() {
  ClaimRules rules;
  rules.issuer = "https://id.example";
  rules.audience = "heliograph";
  return rules;
}

json::Value Claims(const std::string& text) {
  auto parsed = json::Parse(text);
  EXPECT_TRUE(parsed) << text;
  return std::move(*parsed);
}

// The good claims with some replaced; null takes one out.
json::Value With(const std::string& changes) {
  json::Value claims = Claims(
      R"({"iss":"https://id.example","aud":"heliograph","exp":1800000100,"sub":"ann","tenant":"acme"})");
  claims.merge_patch(Claims(changes));
  return claims;
}

TEST(CheckClaims, KnowsWhomAndWhenATokenIsFor) {
  struct Case {
    const char* changes;
    bool good;
    const char* why;
  };
  const Case cases[] = {
      {"{}", true, "as it should be"},
      {R"({"iss":"https://id.example/"})", false, "another issuer, nearly the same"},
      {R"({"iss":null})", false, "no issuer"},
      {R"({"iss":["https://id.example"]})", false, "an issuer is a string"},
      {R"({"aud":["other","heliograph"]})", true, "one of several audiences"},
      {R"({"aud":"other"})", false, "another audience"},
      {R"({"aud":["other"]})", false, "other audiences"},
      {R"({"aud":"heliograph2"})", false, "a longer name"},
      {R"({"aud":[]})", false, "nobody's"},
      {R"({"aud":[["heliograph"]]})", false, "not a list of strings"},
      {R"({"aud":null})", false, "for everybody: such are not taken"},
      {R"({"exp":null})", false, "for ever: such are not taken"},
      {R"({"exp":"1800000100"})", false, "a string is no time"},
      {R"({"exp":1799999941})", true, "expired within the skew"},
      {R"({"exp":1799999940})", false, "expired"},
      {R"({"exp":1799999940.5})", true, "a fraction of a second before"},
      {R"({"exp":-1})", false, "long ago"},
      {R"({"exp":1e300})", true, "further away than can be computed"},
      {R"({"nbf":1800000060})", true, "valid soon, within the skew"},
      {R"({"nbf":1800000061})", false, "not valid yet"},
      {R"({"nbf":1e300})", false, "never"},
      {R"({"nbf":"now"})", false, "not a time"},
      {R"({"iat":1900000000})", true, "when it was made tells nothing of when it is good"},
  };
  for (const auto& [changes, good, why] : cases) {
    EXPECT_EQ(CheckClaims(With(changes), Rules(), kNow).has_value(), good) << why;
  }
}

TEST(CheckClaims, TellsUntilWhen) {
  const auto until = CheckClaims(With("{}"), Rules(), kNow);
  ASSERT_TRUE(until);
  EXPECT_EQ(*until - kNow, std::chrono::seconds(160));
}

TEST(PrincipalOf, TakesUserTenantAndScopes) {
  const auto principal =
      PrincipalOf(With(R"({"scope":"openid actions:write  connections:read"})"), Rules());
  ASSERT_TRUE(principal) << principal.error().message;
  EXPECT_EQ(principal->name, "ann");
  EXPECT_EQ(principal->tenant, "acme");
  EXPECT_EQ(principal->scopes, (std::set{Scope::kConnectionsRead, Scope::kActionsWrite}));
}

TEST(PrincipalOf, TakesScopesInAnyForm) {
  const std::pair<const char*, std::size_t> cases[] = {
      {R"({"scope":["connections:read","actions:write"]})", 2},
      {R"({"scope":["connections:read actions:write"]})", 0},  // words of a list are whole
      {R"({"scope":["connections:read",7]})", 1},
      {R"({"scope":" connections:read "})", 1},
      {R"({"scope":"connections:read,actions:write"})", 0},
      {R"({"scope":"CONNECTIONS:READ"})", 0},
      {R"({"scope":{"connections:read":true}})", 0},
      {R"({"scope":true})", 0},
      {"{}", 0},
  };
  for (const auto& [changes, scopes] : cases) {
    const auto principal = PrincipalOf(With(changes), Rules());
    ASSERT_TRUE(principal) << changes;
    EXPECT_EQ(principal->scopes.size(), scopes) << changes;
  }
}

TEST(PrincipalOf, TakesTheIssuersWordsForScopes) {
  ClaimRules rules = Rules();
  rules.scope_names = {{"helio.read", "connections:read"}};
  const auto principal = PrincipalOf(With(R"({"scope":"helio.read actions:write"})"), rules);
  ASSERT_TRUE(principal);
  EXPECT_EQ(principal->scopes, std::set{Scope::kConnectionsRead}) << "ours are then no words";
}

TEST(PrincipalOf, FollowsPointers) {
  ClaimRules rules = Rules();
  rules.names.user = "/act/~1name~0";
  rules.names.tenant = "https://example/tenant";
  rules.names.scopes = "/realm/roles";
  const auto principal =
      PrincipalOf(With(R"({"act":{"/name~":"bob"},"realm":{"roles":["actions:write"]},
      "https://example/tenant":"other"})"),
                  rules);
  ASSERT_TRUE(principal) << principal.error().message;
  EXPECT_EQ(principal->name, "bob");
  EXPECT_EQ(principal->tenant, "other");
  EXPECT_TRUE(principal->May(Scope::kActionsWrite));
  EXPECT_FALSE(PrincipalOf(With(R"({"act":["/name~"],"https://example/tenant":"other"})"), rules))
      << "a list has no names";
}

TEST(PrincipalOf, RefusesWhoIsNobody) {
  const char* const cases[] = {
      R"({"sub":null})",      R"({"sub":""})",          R"({"sub":7})",
      R"({"sub":"a\u0000"})", R"({"sub":"a\nb"})",      R"({"tenant":null})",
      R"({"tenant":""})",     R"({"tenant":["acme"]})", R"({"tenant":"acme corp"})",
      R"({"tenant":"*"})",
  };
  for (const char* changes : cases) {
    const auto principal = PrincipalOf(With(changes), Rules());
    ASSERT_FALSE(principal) << changes;
    EXPECT_EQ(principal.error().code, base::ErrorCode::kUnauthenticated);
  }
  json::Value longest = With("{}");
  longest["sub"] = std::string(256, 'a');
  EXPECT_FALSE(PrincipalOf(longest, Rules()));
}

TEST(PrincipalOf, KnowsOperators) {
  ClaimRules rules = Rules();
  rules.names.operator_claim = "roles";
  rules.names.operator_value = "fleet-operator";
  const std::pair<const char*, bool> cases[] = {
      {R"({"roles":"fleet-operator"})", true},
      {R"({"roles":["x","fleet-operator"]})", true},
      {R"({"roles":"x fleet-operator","tenant":null})", true},
      {R"({"roles":"fleet-operators"})", false},
      {R"({"roles":["fleet-operator x"]})", false},
      {R"({"roles":{"fleet-operator":1}})", false},
      {"{}", false},
  };
  for (const auto& [changes, is_operator] : cases) {
    const auto principal = PrincipalOf(With(changes), rules);
    ASSERT_TRUE(principal) << changes;
    EXPECT_EQ(principal->is_operator(), is_operator) << changes;
  }
  rules.names.operator_value = "true";
  EXPECT_TRUE(PrincipalOf(With(R"({"roles":true})"), rules)->is_operator());
  EXPECT_FALSE(PrincipalOf(With(R"({"roles":false})"), rules)->is_operator());
  EXPECT_FALSE(PrincipalOf(With(R"({"roles":""})"), Rules())->is_operator())
      << "unless it is configured, nobody is";
}

}  // namespace
}  // namespace heliograph::auth
