// What counts as a delivery, and how long to wait after what does not.
#include "webhooks/outcome.h"

#include <gtest/gtest.h>

namespace heliograph::webhooks {
namespace {

using base::ErrorCode;
using std::chrono::milliseconds;
using std::chrono::seconds;

http_client::Response Answered(int status, const std::string& retry_after = "") {
  http_client::Response response;
  response.status = status;
  if (!retry_after.empty()) response.headers.emplace_back("retry-after", retry_after);
  return response;
}

TEST(Judge, ByTheStatus) {
  struct Case {
    int status;
    const char* reason;
    bool for_ever;
  };
  for (const Case& each : std::initializer_list<Case>{{200, "", false},
                                                      {202, "", false},
                                                      {204, "", false},
                                                      {299, "", false},
                                                      {301, "redirected", false},
                                                      {304, "redirected", false},
                                                      {307, "redirected", false},
                                                      {400, "refused", false},
                                                      {404, "refused", false},
                                                      {410, "gone", true},
                                                      {429, "refused", false},
                                                      {500, "refused", false},
                                                      {199, "refused", false},
                                                      {0, "refused", false},
                                                      {999, "refused", false}}) {
    const Outcome outcome = Judge(Answered(each.status));
    EXPECT_EQ(outcome.reason, each.reason) << each.status;
    EXPECT_EQ(outcome.delivered(), each.reason[0] == '\0') << each.status;
    EXPECT_EQ(outcome.for_ever, each.for_ever) << each.status;
    EXPECT_EQ(outcome.status, each.status);
  }
}

TEST(Judge, WithoutAnAnswer) {
  const auto reason = [](ErrorCode code) {
    const Outcome outcome = Judge(base::MakeError(code, "with a URL in it"));
    EXPECT_EQ(outcome.status, std::nullopt);
    return outcome.reason;
  };
  EXPECT_EQ(reason(ErrorCode::kDeadlineExceeded), "timed-out");
  EXPECT_EQ(reason(ErrorCode::kUnavailable), "unreachable");
  EXPECT_EQ(reason(ErrorCode::kInvalidArgument), "forbidden-address");
  EXPECT_EQ(reason(ErrorCode::kPermissionDenied), "untrusted-certificate");
  EXPECT_EQ(reason(ErrorCode::kTooLarge), "bad-answer");
}

TEST(Judge, WhenTheReceiverWantsToBeAskedAgain) {
  EXPECT_EQ(Judge(Answered(503, "7")).at_least, seconds(7));
  EXPECT_EQ(Judge(Answered(429, "100000000")).at_least, seconds(86'400)) << "bounded";
  for (const char* none :
       {"-7", "x", "", "Wed, 21 Oct 2026 07:28:00 GMT", "99999999999999999999"}) {
    EXPECT_EQ(Judge(Answered(503, none)).at_least, seconds(0)) << none;
  }
}

TEST(RetryWait, DoublesWithinItsBounds) {
  const auto most = [](std::int64_t failures) {
    return RetryWait(failures, milliseconds(100), seconds(10), 0.999999);
  };
  EXPECT_EQ(RetryWait(1, milliseconds(100), seconds(10), 0.5), milliseconds(100));
  EXPECT_NEAR(static_cast<double>(most(2).count()), 200, 1);
  EXPECT_NEAR(static_cast<double>(most(4).count()), 800, 1);
  EXPECT_NEAR(static_cast<double>(most(8).count()), 10'000, 1);
  EXPECT_NEAR(static_cast<double>(most(1'000'000'000).count()), 10'000, 1);
  EXPECT_EQ(RetryWait(8, milliseconds(100), seconds(10), 0), milliseconds(100)) << "full jitter";
  EXPECT_EQ(RetryWait(8, seconds(10), seconds(1), 0.5), seconds(1)) << "the longest wins";
}

}  // namespace
}  // namespace heliograph::webhooks
