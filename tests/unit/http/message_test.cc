#include "http/message.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace heliograph::http {
namespace {

TEST(Message, FindsHeadersAndQueriesByName) {
  Request request;
  request.headers = {{"a", "1"}, {"b", "2"}, {"a", "3"}};
  request.query = {{"q", ""}, {"r", "x"}};
  EXPECT_EQ(request.Header("a"), "1") << "the first";
  EXPECT_EQ(request.Header("c"), std::nullopt);
  EXPECT_EQ(request.Query("q"), "") << "empty is not absent";
  EXPECT_EQ(request.Query("s"), std::nullopt);
}

TEST(Message, ProblemsAreProblemDetails) {
  const Response problem = Problem(422, "key-reused", "Key reused", "it said \"no\" \xff");
  EXPECT_EQ(problem.status, 422);
  EXPECT_EQ(problem.content_type, "application/problem+json");
  const auto body = nlohmann::json::parse(problem.body);
  EXPECT_EQ(body["type"], "/problems/key-reused");
  EXPECT_EQ(body["title"], "Key reused");
  EXPECT_EQ(body["status"], 422);
  EXPECT_EQ(body["detail"], "it said \"no\" \xef\xbf\xbd");
}

TEST(Message, JsonStringQuotes) {
  EXPECT_EQ(JsonString("a\"b\\\n\x01"), R"("a\"b\\\n\u0001")");
  EXPECT_EQ(JsonString("\xff"), "\"\xef\xbf\xbd\"");
}

}  // namespace
}  // namespace heliograph::http
