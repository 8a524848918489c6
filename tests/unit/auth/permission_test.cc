#include "auth/permission.h"

#include <gtest/gtest.h>

namespace heliograph::auth {
namespace {

TEST(WriteQuestion, IsJson) {
  EXPECT_EQ(WriteQuestion({"a\"n", "acme", "echo", {"d-1", "d-2"}}),
            R"({"user":"a\"n","tenant":"acme","directive":"echo","client_ids":["d-1","d-2"]})");
  EXPECT_EQ(WriteQuestion({"root", std::nullopt, "echo", {}}),
            R"({"user":"root","tenant":null,"directive":"echo","client_ids":[]})");
}

TEST(ReadPermission, NamesIdsOrAll) {
  const auto all = ReadPermission(R"({"allowed":"all","more":1})");
  ASSERT_TRUE(all);
  EXPECT_TRUE(all->Includes("d-1"));
  const auto some = ReadPermission(R"({"allowed":["d-1","not-asked-for"]})");
  ASSERT_TRUE(some);
  EXPECT_TRUE(some->Includes("d-1"));
  EXPECT_FALSE(some->Includes("d-2"));
  const auto none = ReadPermission(R"({"allowed":[]})");
  ASSERT_TRUE(none) << "a clear no";
  EXPECT_FALSE(none->Includes("d-1"));
}

TEST(ReadPermission, TakesNothingElseForAnAnswer) {
  for (const char* body : {"", "all", "[]", "\"all\"", "{}", R"({"allowed":true})",
                           R"({"allowed":null})", R"({"allowed":"ALL"})", R"({"allowed":""})",
                           R"({"allowed":"d-1"})", R"({"allowed":["d-1",2]})",
                           R"({"allowed":{"d-1":true}})", R"({"allowed":[],"allowed":"all"})"}) {
    const auto permission = ReadPermission(body);
    ASSERT_FALSE(permission) << body;
    EXPECT_EQ(permission.error().code, base::ErrorCode::kUnavailable) << body;
  }
}

}  // namespace
}  // namespace heliograph::auth
