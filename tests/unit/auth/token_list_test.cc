#include "auth/token_list.h"

#include <gtest/gtest.h>

namespace heliograph::auth {
namespace {

std::string Hash(std::string_view token) { return WriteHex(Sha256(token)); }

TEST(TokenList, FindsWhoseTokenItIs) {
  const auto tokens = TokenList::Parse(
      "tokens:\n"
      "  - {name: billing, sha256: " +
      Hash("one") +
      ", tenant: acme, scopes: [connections:read]}\n"
      "  - name: admin\n    sha256: " +
      Hash("two") +
      "\n    operator: true\n"
      "    scopes: [connections:read, actions:write]\n");
  ASSERT_TRUE(tokens) << tokens.error().message;
  EXPECT_EQ(tokens->size(), 2U);

  const Principal* billing = tokens->Find("one");
  ASSERT_NE(billing, nullptr);
  EXPECT_EQ(billing->name, "billing");
  EXPECT_EQ(billing->tenant, "acme");
  EXPECT_FALSE(billing->is_operator());
  EXPECT_TRUE(billing->May(Scope::kConnectionsRead));
  EXPECT_FALSE(billing->May(Scope::kActionsWrite));

  const Principal* admin = tokens->Find("two");
  ASSERT_NE(admin, nullptr);
  EXPECT_TRUE(admin->is_operator());
  EXPECT_TRUE(admin->May(Scope::kActionsWrite));

  EXPECT_EQ(tokens->Find("three"), nullptr);
  EXPECT_EQ(tokens->Find(Hash("one")), nullptr) << "the hash is not the token";
  EXPECT_EQ(tokens->Find(""), nullptr);
}

TEST(TokenList, MayBeEmpty) {
  const auto tokens = TokenList::Parse("tokens: []\n");
  ASSERT_TRUE(tokens);
  EXPECT_EQ(tokens->Find("one"), nullptr);
}

TEST(TokenList, SaysWhatIsWrongAndWhere) {
  const std::string hash = Hash("one");
  const std::string good =
      "  - {name: a, sha256: " + hash + ", tenant: t, scopes: [connections:read]}\n";
  const struct {
    std::string yaml;
    const char* words;
  } cases[] = {
      {"", "one list named `tokens`"},
      {"- a\n", "one list named `tokens`"},
      {"tokens: {}\n", "one list named `tokens`"},
      {"tokens: []\nmore: 1\n", "one list named `tokens`"},
      {"tokens: [\n", "line"},
      {"tokens:\n  - text\n", "line 2: a token is not a map"},
      {"tokens:\n  - {sha256: " + hash + ", tenant: t, scopes: [connections:read]}\n", "`name`"},
      {"tokens:\n  - {name: 'a b', sha256: " + hash + ", tenant: t, scopes: [connections:read]}\n",
       "`name`"},
      {"tokens:\n  - {name: a, tenant: t, scopes: [connections:read]}\n", "`sha256`"},
      {"tokens:\n  - {name: a, sha256: one, tenant: t, scopes: [connections:read]}\n", "`sha256`"},
      {"tokens:\n  - {name: a, sha256: " + hash + ", scopes: [connections:read]}\n",
       "either `tenant`"},
      {"tokens:\n  - {name: a, sha256: " + hash +
           ", operator: false, scopes: [connections:read]}\n",
       "either `tenant`"},
      {"tokens:\n  - {name: a, sha256: " + hash + ", operator: yes!, scopes: [connections:read]}\n",
       "`operator`"},
      {"tokens:\n  - {name: a, sha256: " + hash +
           ", operator: true, tenant: t, scopes: [connections:read]}\n",
       "either `tenant`"},
      {"tokens:\n  - {name: a, sha256: " + hash + ", tenant: '', scopes: [connections:read]}\n",
       "`tenant`"},
      {"tokens:\n  - {name: a, sha256: " + hash + ", tenant: t}\n", "`scopes`"},
      {"tokens:\n  - {name: a, sha256: " + hash + ", tenant: t, scopes: []}\n", "`scopes`"},
      {"tokens:\n  - {name: a, sha256: " + hash + ", tenant: t, scopes: [everything]}\n",
       "'everything' is not a scope"},
      {"tokens:\n  - {name: a, sha256: " + hash +
           ", tenant: t, scopes: [connections:read], token: x}\n",
       "unknown key `token`"},
      {"tokens:\n" + good + "  - {name: a, sha256: " + Hash("b") +
           ", tenant: t, scopes: [connections:read]}\n",
       "line 3: the name 'a' stands twice"},
      {"tokens:\n" + good + "  - {name: b, sha256: " + hash +
           ", tenant: t, scopes: [connections:read]}\n",
       "the same token stands twice"},
  };
  for (const auto& row : cases) {
    const auto tokens = TokenList::Parse(row.yaml);
    ASSERT_FALSE(tokens) << row.yaml;
    EXPECT_NE(tokens.error().message.find(row.words), std::string::npos) << row.yaml << "\n"
                                                                         << tokens.error().message;
  }
}

}  // namespace
}  // namespace heliograph::auth
