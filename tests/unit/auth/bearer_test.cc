#include "auth/bearer.h"

#include <gtest/gtest.h>

#include <string>

namespace heliograph::auth {
namespace {

TEST(ParseBearer, TakesATokenInAnyCaseOfTheScheme) {
  EXPECT_EQ(*ParseBearer("Bearer abc"), "abc");
  EXPECT_EQ(*ParseBearer("bearer hg_a-b.c~d+e/f=="), "hg_a-b.c~d+e/f==");
  EXPECT_EQ(*ParseBearer("BEARER  abc"), "abc");
}

TEST(ParseBearer, RefusesEverythingElse) {
  const std::optional<std::string_view> cases[] = {
      std::nullopt, "",           "Bearer",      "Bearer ",     "Bearer =",  "Basic abc",
      "abc",        "Bearer a b", "Bearer a\tb", "Bearer \xff", "Bearer a,b"};
  for (const auto& header : cases) {
    const auto token = ParseBearer(header);
    ASSERT_FALSE(token) << header.value_or("none");
    EXPECT_EQ(token.error().code, base::ErrorCode::kUnauthenticated);
  }
  EXPECT_FALSE(ParseBearer("Bearer " + std::string(1024 * 1024, 'a'))) << "1 MiB";
}

}  // namespace
}  // namespace heliograph::auth
