#include "owner/reply.h"

#include <gtest/gtest.h>

namespace heliograph::owner {
namespace {

using Kind = Reply::Kind;

TEST(ReadReply, TakesItsFormsAndNoOther) {
  struct Case {
    int status;
    std::string body;
    Kind kind;
    const char* why;
  };
  const Case cases[] = {
      {200, R"({"tenant":"north"})", Kind::kOwned, "the plain answer"},
      {200, R"({"id":7,"tenant":"north"})", Kind::kOwned, "whatever else it tells"},
      {200, R"({"tenant":null})", Kind::kNobody, "said aloud"},
      {404, "", Kind::kNobody, "not known to it"},
      {404, R"({"tenant":"north"})", Kind::kNobody, "the status counts"},
      {200, "", Kind::kWrong, "nothing"},
      {200, "<html>log in</html>", Kind::kWrong, "somebody else answers"},
      {200, R"({"tenant":"north"}})", Kind::kWrong, "more than one value"},
      {200, R"(["north"])", Kind::kWrong, "no object"},
      {200, "{}", Kind::kWrong, "without an owner"},
      {200, R"({"tenant":7})", Kind::kWrong, "no name"},
      {200, R"({"tenant":"north","tenant":"south"})", Kind::kWrong, "two answers"},
      {200, R"({"tenant":""})", Kind::kRefused, "an empty name"},
      {200, R"({"tenant":"north pole"})", Kind::kRefused, "no name of ours"},
      {200, "{\"tenant\":\"" + std::string(129, 'a') + "\"}", Kind::kRefused, "too long"},
      {204, "", Kind::kWrong, "an answer without content"},
      {301, R"({"tenant":"north"})", Kind::kWrong, "no redirect is followed"},
      {400, "", Kind::kRefused, "it does not take this one"},
      {410, "", Kind::kRefused, "gone is not nobody's: it may be a service that was taken away"},
      {401, "", Kind::kWrong, "it does not know us"},
      {403, R"({"tenant":"north"})", Kind::kWrong, "we may not ask"},
      {429, "", Kind::kWrong, "too many questions"},
      {500, R"({"tenant":"north"})", Kind::kWrong, "broken"},
      {503, "", Kind::kWrong, "away"},
  };
  for (const Case& each : cases) {
    const Reply reply = ReadReply(each.status, each.body);
    EXPECT_EQ(reply.kind, each.kind) << each.why;
    EXPECT_EQ(reply.owner.has_value(), each.kind == Kind::kOwned) << each.why;
    EXPECT_EQ(reply.told(), each.kind == Kind::kOwned || each.kind == Kind::kNobody) << each.why;
    EXPECT_EQ(reply.why.empty(), reply.told()) << each.why;
  }
  EXPECT_EQ(ReadReply(200, R"({"tenant":"north"})").owner, device::TenantId("north"));
}

TEST(ReadReply, NothingThatIsSentReachesTheLog) {
  for (const char* body : {R"({"tenant":"se cret"})", "secret", R"({"tenant":["secret"]})"}) {
    EXPECT_EQ(ReadReply(200, body).why.find("cret"), std::string::npos) << body;
  }
}

}  // namespace
}  // namespace heliograph::owner
