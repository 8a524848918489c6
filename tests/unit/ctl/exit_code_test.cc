#include "ctl/exit_code.h"

#include <gtest/gtest.h>

#include <string>

namespace heliograph::ctl {
namespace {

using base::ErrorCode;

TEST(ExitCodeOf, ScriptsCanTellTryAgainFromNo) {
  for (const ErrorCode code : {ErrorCode::kUnavailable, ErrorCode::kDeadlineExceeded}) {
    EXPECT_EQ(ExitCodeOf(code), ExitCode::kUnreachable) << base::ErrorCodeName(code);
  }
  for (const ErrorCode code : {ErrorCode::kUnauthenticated, ErrorCode::kPermissionDenied}) {
    EXPECT_EQ(ExitCodeOf(code), ExitCode::kNotAllowed) << base::ErrorCodeName(code);
  }
  EXPECT_EQ(ExitCodeOf(ErrorCode::kInvalidArgument), ExitCode::kUsage);
  for (const ErrorCode code : {ErrorCode::kNotFound, ErrorCode::kConflict, ErrorCode::kTooLarge,
                               ErrorCode::kInternal, ErrorCode::kCancelled}) {
    EXPECT_EQ(ExitCodeOf(code), ExitCode::kNo) << base::ErrorCodeName(code);
  }
}

TEST(ExitCodeHelp, NamesEveryCode) {
  const std::string help(ExitCodeHelp());
  for (const ExitCode code : {ExitCode::kOk, ExitCode::kNo, ExitCode::kUsage,
                              ExitCode::kUnreachable, ExitCode::kNotAllowed}) {
    EXPECT_NE(help.find("\n  " + std::to_string(static_cast<int>(code)) + "  "), help.npos)
        << static_cast<int>(code);
  }
}

TEST(NextStep, NamesTheSettingOfThePeerThatIsAway) {
  EXPECT_NE(NextStep(Peer::kApi, ErrorCode::kUnavailable).find("HELIOGRAPH_API_URL"),
            std::string::npos);
  EXPECT_NE(NextStep(Peer::kPostgres, ErrorCode::kDeadlineExceeded).find("--postgres"),
            std::string::npos);
  EXPECT_NE(NextStep(Peer::kKafka, ErrorCode::kUnavailable).find("--kafka"), std::string::npos);
  EXPECT_NE(NextStep(Peer::kApi, ErrorCode::kUnauthenticated).find("--token-file"),
            std::string::npos);
  EXPECT_EQ(NextStep(Peer::kPostgres, ErrorCode::kNotFound), "");
}

}  // namespace
}  // namespace heliograph::ctl
