#include "ctl/api.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace heliograph::ctl {
namespace {

using base::ErrorCode;

class TokenFile : public testing::Test {
 protected:
  std::string Write(const std::string& content) {
    const auto path = std::filesystem::path(testing::TempDir()) / "heliograph-token";
    std::ofstream(path, std::ios::binary) << content;
    return path.string();
  }
};

TEST_F(TokenFile, ItsLineEndIsNotPartOfTheToken) {
  const auto token = ReadToken(Write("hg_abc\n"), nullptr);
  ASSERT_TRUE(token);
  EXPECT_EQ(token->Reveal(), "hg_abc");
}

TEST_F(TokenFile, WinsOverTheEnvironment) {
  EXPECT_EQ(ReadToken(Write("file"), "environment")->Reveal(), "file");
  EXPECT_EQ(ReadToken("", "environment")->Reveal(), "environment");
}

TEST_F(TokenFile, WhatCannotBeATokenIsRefused) {
  EXPECT_EQ(ReadToken("", nullptr).error().code, ErrorCode::kUnauthenticated);
  EXPECT_EQ(ReadToken("", "").error().code, ErrorCode::kUnauthenticated);
  EXPECT_EQ(ReadToken("/nonexistent/token", "set").error().code, ErrorCode::kInvalidArgument)
      << "a named file is meant; the environment must not hide that it is missing";
  EXPECT_EQ(ReadToken(Write(""), nullptr).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(ReadToken(Write("\n"), nullptr).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(ReadToken(Write("two\nlines"), nullptr).error().code, ErrorCode::kInvalidArgument)
      << "would be two headers";
}

TEST_F(TokenFile, AnErrorDoesNotShowIt) {
  const auto refused = ReadToken(Write("sec ret"), nullptr);
  EXPECT_EQ(refused.error().message.find("sec"), std::string::npos);
  std::ostringstream shown;
  shown << *ReadToken("", "secret");
  EXPECT_EQ(shown.str(), "***");
}

struct Answer {
  int status;
  ErrorCode code;
};

TEST(ErrorOfAnswer, EachStatusHasItsCode) {
  for (const Answer row : std::initializer_list<Answer>{{400, ErrorCode::kInvalidArgument},
                                                        {401, ErrorCode::kUnauthenticated},
                                                        {403, ErrorCode::kPermissionDenied},
                                                        {404, ErrorCode::kNotFound},
                                                        {409, ErrorCode::kConflict},
                                                        {413, ErrorCode::kTooLarge},
                                                        {422, ErrorCode::kInvalidArgument},
                                                        {429, ErrorCode::kUnavailable},
                                                        {502, ErrorCode::kUnavailable},
                                                        {503, ErrorCode::kUnavailable},
                                                        {504, ErrorCode::kDeadlineExceeded},
                                                        {500, ErrorCode::kInternal},
                                                        {302, ErrorCode::kInternal}}) {
    EXPECT_EQ(ErrorOfAnswer({row.status, {}, ""}).code, row.code) << row.status;
  }
}

TEST(ErrorOfAnswer, TellsTheWordsOfTheProblem) {
  const auto error = ErrorOfAnswer({503,
                                    {{"retry-after", "2"}, {"x-request-id", "r-7"}},
                                    R"({"title":"Database away","detail":"no answer"})"});
  EXPECT_EQ(
      error.message,
      "the API answered 503, Database away: no answer (to be tried again after 2 s) [request r-7]");
}

TEST(ErrorOfAnswer, TakesAnyBody) {
  for (const char* body : {"", "<html>", "[]", "null", R"({"title":7,"detail":null})"}) {
    EXPECT_EQ(ErrorOfAnswer({500, {}, body}).message, "the API answered 500") << body;
  }
}

}  // namespace
}  // namespace heliograph::ctl
