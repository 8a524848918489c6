#include "config/document.h"

#include <gtest/gtest.h>

#include <string>

namespace heliograph::config {
namespace {

TEST(ParseDocument, GivesPlainValuesWithTheirLines) {
  const auto document = ParseDocument(
      "rules:\n  - client_id: d-1\n    tenant: north\n  - pattern: 'x*'\n    tenant: ~\n");
  ASSERT_TRUE(document.has_value());
  EXPECT_EQ(document->kind, Node::Kind::kMap);
  const Node* rules = document->Find("rules");
  ASSERT_NE(rules, nullptr);
  ASSERT_EQ(rules->items.size(), 2U);
  EXPECT_EQ(rules->items[0].Find("tenant")->text, "north");
  EXPECT_EQ(rules->items[0].Find("tenant")->line, 3);
  EXPECT_EQ(rules->items[1].Find("pattern")->text, "x*");
  EXPECT_EQ(rules->items[1].Find("tenant")->kind, Node::Kind::kNull);
  EXPECT_EQ(rules->items[0].Find("nope"), nullptr);
  EXPECT_EQ(rules->Find("nope"), nullptr) << "not a map";
}

TEST(ParseDocument, AnEmptyTextIsNull) {
  const auto document = ParseDocument("");
  ASSERT_TRUE(document.has_value());
  EXPECT_EQ(document->kind, Node::Kind::kNull);
}

TEST(ParseDocument, RefusesWhatIsAmbiguousOrBroken) {
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "[";
  struct Row {
    std::string yaml;
    const char* message;
  };
  const Row table[] = {
      {"a: 1\nb: 2\na: 3\n", "line 3: 'a' stands twice"},
      {"x:\n  a: 1\n  a: 2\n", "line 3: 'a' stands twice"},
      {"[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "line 1: deeper than 16 levels"},
      {deep, "line 1: "},
      {"? [a]\n: b\n", "line 1: a name is not a text"},
      {"a: [1\n", "line "},
      {"a: *b\n", "line "},
      {"\t- a\n b", "line "},
  };
  for (const Row& row : table) {
    const auto document = ParseDocument(row.yaml);
    ASSERT_FALSE(document.has_value()) << row.yaml.substr(0, 40);
    EXPECT_EQ(document.error().code, base::ErrorCode::kInvalidArgument);
    EXPECT_TRUE(document.error().message.starts_with(row.message)) << document.error().message;
  }
}

}  // namespace
}  // namespace heliograph::config
