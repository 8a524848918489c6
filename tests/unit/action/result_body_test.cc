#include "action/result_body.h"

#include <gtest/gtest.h>

namespace heliograph::action {
namespace {

const ActionId kId("01a1fc32-f748-7478-9604-a08dd30ef117");

TEST(ParseResultBody, IsWhatADeviceWouldSay) {
  const auto parsed = ParseResultBody(
      R"({"content":{"a":[1]},"metadata":{"status":"running","progress":"40","note":"half"}})",
      kId);
  const auto& report = std::get<Report>(parsed);
  EXPECT_EQ(report.action_id, kId);
  EXPECT_EQ(report.event, TargetEvent::kRunning);
  EXPECT_EQ(report.progress, 40);
  EXPECT_EQ(report.note, "half");
  EXPECT_EQ(report.content, R"({"a":[1]})");
  EXPECT_EQ(std::get<Report>(ParseResultBody("{}", kId)).event, TargetEvent::kSucceeded);
  EXPECT_EQ(std::get<Report>(ParseResultBody(R"({"metadata":null})", kId)).metadata, "null");
}

TEST(ParseResultBody, NamesWhatIsWrong) {
  const auto field = [](std::string_view body) {
    return std::get<RequestFault>(ParseResultBody(body, kId)).field;
  };
  EXPECT_EQ(field("{"), "");
  EXPECT_EQ(field("[]"), "");
  EXPECT_EQ(field(R"({"metadata":[]})"), "/metadata");
  EXPECT_EQ(field(R"({"metadata":{"status":"maybe"}})"), "/metadata");
  EXPECT_EQ(field(R"({"metadata":{"a":1}})"), "/metadata");
  const std::string large = R"({"content":")" + std::string(kLargestResult, 'x') + R"("})";
  EXPECT_EQ(std::get<device::Unacceptable>(ParseResultBody(large, kId)).reason,
            device::DeadLetterReason::kResultTooLarge);
}

}  // namespace
}  // namespace heliograph::action
