#include "recorder/result_event.h"

#include <gtest/gtest.h>

#include "json/json.h"

namespace heliograph::recorder {
namespace {

using action::TargetStatus;

action::Action Action() {
  action::Action action;
  action.id = action::ActionId("01a1fc32-f748-7478-9604-a08dd30ef117");
  action.directive = action::Directive("solar.configure");
  action.payload = R"({"limit_w":4000,"é":"a & <b>"})";
  action.requested_by = "a \"caller\"";
  action.tenant = device::TenantId("acme");
  return action;
}

action::Target Target(TargetStatus status, std::string reason = "") {
  action::Target target;
  target.client_id = device::ClientId("pv-1");
  target.status = status;
  target.reason = std::move(reason);
  return target;
}

json::Value Read(const std::string& text) {
  const auto parsed = json::Parse(text);
  EXPECT_TRUE(parsed) << text;
  return *parsed;
}

TEST(WriteResultEvent, HasTheActionAsAListShowsItAndTheTarget) {
  const json::Value event = Read(WriteResultEvent(Action(), Target(TargetStatus::kSucceeded)));
  EXPECT_EQ(event["specversion"], "1.0");
  EXPECT_EQ(event["id"], "01a1fc32-f748-7478-9604-a08dd30ef117/pv-1");
  EXPECT_EQ(event["source"], "/heliograph/action.results");
  EXPECT_EQ(event["type"], "heliograph.action.target.ended");
  EXPECT_EQ(event["subject"], "pv-1");
  EXPECT_EQ(event["data"]["action"]["requested_by"], "a \"caller\"");
  EXPECT_FALSE(event["data"]["action"].contains("payload"));
  EXPECT_EQ(event["data"]["target"]["status"], "succeeded");
}

TEST(WriteDeadLetterEvent, HasAllThatIsNeededToTryAgain) {
  const std::string text =
      WriteDeadLetterEvent(Action(), Target(TargetStatus::kOffline, "not_online"));
  const json::Value event = Read(text);
  EXPECT_EQ(event["source"], "/heliograph/action.dead-letter");
  EXPECT_EQ(event["type"], "heliograph.action.dead-letter");
  EXPECT_EQ(event["data"]["reason"], "not_online");
  EXPECT_NE(text.find(R"("payload":{"limit_w":4000,"é":"a & <b>"},"metadata":null)"),
            std::string::npos)
      << "as it was sent";
  EXPECT_EQ(Read(WriteDeadLetterEvent(Action(), Target(TargetStatus::kExpired)))["data"]["reason"],
            "expired")
      << "without a reason the status tells";
}

TEST(IsDeadLetter, IsWhatNobodyHasDoneOrRefusedOrCalledOff) {
  for (std::size_t i = 0; i < action::kTargetStatuses; ++i) {
    const auto status = static_cast<TargetStatus>(i);
    const bool decided = status == TargetStatus::kSucceeded || status == TargetStatus::kFailed ||
                         status == TargetStatus::kCancelled;
    EXPECT_EQ(IsDeadLetter(status), action::IsFinal(status) && !decided)
        << action::TargetStatusName(status);
  }
}

}  // namespace
}  // namespace heliograph::recorder
