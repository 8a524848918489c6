#include "owner/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heliograph::owner {
namespace {

using device::ClientId;
using device::TenantId;

TEST(MatchesPattern, StarStandsForAnything) {
  struct Case {
    const char* pattern;
    const char* text;
    bool matches;
  };
  const Case cases[] = {
      {"*", "anything", true},     {"pv-*", "pv-1", true},   {"pv-*", "pv-", true},
      {"pv-*", "wind-1", false},   {"*-a", "b-a-a", true},   {"a*b*c", "a-b-b-c", true},
      {"a*b*c", "a-c-b", false},   {"exact", "exact", true}, {"exact", "exactly", false},
      {"a**", "a", true},          {"*a*", "bcd", false},    {"a.c", "abc", false},
      {"*:*:*", "aa:bb:cc", true},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(MatchesPattern(one.pattern, one.text), one.matches) << one.pattern << " " << one.text;
  }
}

TEST(MatchesPattern, ManyStarsTakeNoTimeToSpeakOf) {
  std::string pattern;
  for (int i = 0; i < 100; ++i) pattern += "*a";
  EXPECT_FALSE(MatchesPattern(pattern + "b", std::string(128, 'a')));
}

TEST(Rules, ExactGoesBeforePatternsAndTheFirstCounts) {
  const auto rules = Rules::Parse(R"(
rules:
  - {pattern: "pv-*", tenant: north}
  - {client_id: "pv-7", tenant: south}
  - {pattern: "*", tenant: rest}
  - {client_id: "pv-7", tenant: late}
  - {pattern: "pv-1*", tenant: never}
)");
  ASSERT_TRUE(rules) << rules.error().message;
  EXPECT_EQ(rules->OwnerOf(ClientId("pv-7")), TenantId("south"));
  EXPECT_EQ(rules->OwnerOf(ClientId("pv-11")), TenantId("north"));
  EXPECT_EQ(rules->OwnerOf(ClientId("wind-1")), TenantId("rest"));
}

TEST(Rules, WhoIsNotNamedBelongsToNobodyKnown) {
  const auto rules = Rules::Parse("rules:\n  - {client_id: a, tenant: t}\n");
  ASSERT_TRUE(rules);
  EXPECT_EQ(rules->OwnerOf(ClientId("b")), std::nullopt);
}

TEST(Rules, MayBeNone) {
  for (const char* yaml : {"rules:\n", "rules: []\n", "# comment\nrules:\n"}) {
    const auto rules = Rules::Parse(yaml);
    ASSERT_TRUE(rules) << yaml;
    EXPECT_EQ(rules->size(), 0U);
  }
}

TEST(Rules, MistakesNameTheirLine) {
  struct Case {
    const char* yaml;
    const char* message;
  };
  const Case cases[] = {
      {"", "not one list named `rules`"},
      {"rules: 7", "not one list"},
      {"rules: []\nmore: 1", "not one list"},
      {"rules:\n  - text", "line 2: a rule is not a map"},
      {"rules:\n  - {client_id: a, tenant: t}\n  - {client_id: b}",
       "line 3: a rule needs a `tenant`"},
      {"rules:\n  - {tenant: t}", "either `client_id` or `pattern`"},
      {"rules:\n  - {client_id: a, pattern: b, tenant: t}", "either `client_id` or `pattern`"},
      {"rules:\n  - {client_id: \"@ingest\", tenant: t}", "`client_id` is not"},
      {"rules:\n  - {client_id: \"a*\", tenant: t}", "`client_id` is not"},
      {"rules:\n  - {pattern: \"a/b\", tenant: t}", "`pattern` is not"},
      {"rules:\n  - {pattern: a, tenant: \"two words\"}", "line 2"},
      {"rules:\n  - {pattern: a, tennant: t}", "unknown key `tennant`"},
      {"rules:\n  - {pattern: [a], tenant: t}", "`pattern` is not a text"},
      {"rules: [", "line"},
  };
  for (const Case& one : cases) {
    const auto rules = Rules::Parse(one.yaml);
    ASSERT_FALSE(rules) << one.yaml;
    EXPECT_THAT(rules.error().message, testing::HasSubstr(one.message)) << one.yaml;
  }
}

}  // namespace
}  // namespace heliograph::owner
