#include "action/report.h"

#include <gtest/gtest.h>

namespace heliograph::action {
namespace {

constexpr const char* kId = "01234567-89ab-7def-8123-456789abcdef";

device::DataMessage Answer(std::map<std::string, std::string> metadata,
                           std::string content = "null") {
  device::DataMessage message;
  message.response_to = kId;
  message.metadata = std::move(metadata);
  message.content = std::move(content);
  return message;
}

Report Good(const device::DataMessage& message) {
  auto parsed = ParseReport(message);
  if (const auto* fault = std::get_if<device::Unacceptable>(&parsed)) {
    ADD_FAILURE() << fault->detail;
    return {};
  }
  return std::get<Report>(std::move(parsed));
}

device::DeadLetterReason Bad(const device::DataMessage& message) {
  const auto parsed = ParseReport(message);
  EXPECT_TRUE(std::holds_alternative<device::Unacceptable>(parsed));
  return std::get<device::Unacceptable>(parsed).reason;
}

TEST(ParseReport, KnowsTheWords) {
  const struct {
    std::map<std::string, std::string> metadata;
    TargetEvent event;
  } cases[] = {
      {{}, TargetEvent::kSucceeded},  // absent means succeeded
      {{{"status", ""}}, TargetEvent::kSucceeded},
      {{{"status", "succeeded"}}, TargetEvent::kSucceeded},
      {{{"status", "accepted"}}, TargetEvent::kDelivered},
      {{{"status", "running"}}, TargetEvent::kRunning},
      {{{"status", "failed"}}, TargetEvent::kFailed},
  };
  for (const auto& row : cases) EXPECT_EQ(Good(Answer(row.metadata)).event, row.event);
  EXPECT_EQ(Bad(Answer({{"status", "done"}})), device::DeadLetterReason::kBadField);
  EXPECT_EQ(Bad(Answer({{"status", "Failed"}})), device::DeadLetterReason::kBadField);
}

TEST(ParseReport, KeepsWhatTheDeviceSaid) {
  const Report report =
      Good(Answer({{"status", "failed"}, {"reason", "too hot"}}, R"({"celsius":91})"));
  EXPECT_EQ(report.action_id, ActionId(kId));
  EXPECT_EQ(report.reason, "too hot");
  EXPECT_EQ(report.content, R"({"celsius":91})");
  EXPECT_EQ(report.metadata, R"({"reason":"too hot","status":"failed"})");
  EXPECT_EQ(Good(Answer({})).metadata, "null");
}

TEST(ParseReport, ReadsProgress) {
  const Report report =
      Good(Answer({{"status", "running"}, {"progress", "40"}, {"note", "step 2"}}));
  EXPECT_EQ(report.progress, 40);
  EXPECT_EQ(report.note, "step 2");
  EXPECT_EQ(Good(Answer({{"status", "running"}})).progress, std::nullopt);
  for (const char* bad : {"-1", "101", "40%", " 4", "4.5", "999999999999999999999"}) {
    EXPECT_EQ(Bad(Answer({{"status", "running"}, {"progress", bad}})),
              device::DeadLetterReason::kBadField)
        << bad;
  }
}

TEST(ParseReport, CutsLongWordsBetweenCharacters) {
  std::string longest(kLongestReason - 1, 'a');
  const Report report = Good(Answer({{"status", "failed"}, {"reason", longest + "\xc3\xa4 more"}}));
  EXPECT_EQ(report.reason, longest) << "the umlaut would have been cut in two";
}

TEST(ParseReport, BoundsTheResult) {
  EXPECT_TRUE(std::holds_alternative<Report>(
      ParseReport(Answer({}, std::string(kLargestResult - 4, '1')))));
  EXPECT_EQ(Bad(Answer({}, std::string(kLargestResult - 3, '1'))),
            device::DeadLetterReason::kResultTooLarge);
}

TEST(ParseReport, NeedsAnActionsId) {
  device::DataMessage message = Answer({});
  message.response_to = "17";
  EXPECT_EQ(Bad(message), device::DeadLetterReason::kUnknownAction);
}

}  // namespace
}  // namespace heliograph::action
