#include "api/problems.h"

#include <gtest/gtest.h>

#include "json/json.h"

namespace heliograph::api {
namespace {

using base::ErrorCode;

TEST(FromError, GivesEveryCodeItsAnswer) {
  const std::pair<ErrorCode, int> cases[] = {
      {ErrorCode::kUnavailable, 503},     {ErrorCode::kDeadlineExceeded, 503},
      {ErrorCode::kTooLarge, 413},        {ErrorCode::kConflict, 422},
      {ErrorCode::kUnauthenticated, 401}, {ErrorCode::kInternal, 500},
      {ErrorCode::kCancelled, 500},       {ErrorCode::kInvalidArgument, 500},
      {ErrorCode::kNotFound, 500},
  };
  for (const auto& [code, status] : cases) {
    const http::Response response = FromError(base::MakeError(code, "the words"));
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(response.content_type, "application/problem+json");
    EXPECT_EQ((*json::Parse(response.body))["status"], status);
  }
}

TEST(FromError, TellsCallersNothingOfTheInside) {
  for (const ErrorCode code : {ErrorCode::kUnavailable, ErrorCode::kInternal}) {
    const http::Response response =
        FromError(base::MakeError(code, "connection to 10.0.0.7 refused"));
    EXPECT_EQ(response.body.find("10.0.0.7"), std::string::npos);
  }
}

TEST(Problems, AreWrittenAsSentences) {
  const auto detail = [](const http::Response& response) {
    return (*json::Parse(response.body))["detail"].get<std::string>();
  };
  EXPECT_EQ(detail(InvalidBody("/targets/client_ids/1", "the client id is empty")),
            "At /targets/client_ids/1: the client id is empty");
  EXPECT_EQ(detail(InvalidBody("", "the body is not an object")), "The body is not an object");
  EXPECT_EQ(detail(Unauthenticated("the token is not known")), "The token is not known");
}

}  // namespace
}  // namespace heliograph::api
