// What the fleet says is what the platform's own parsers take.
#include "fleet/messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "device/control_message.h"
#include "device/data_message.h"

namespace heliograph::fleet {
namespace {

const base::Timestamp kNow{std::chrono::seconds(1'700'000'000)};

device::ControlMessage ParseControl(const std::string& text) {
  auto parsed = device::ParseControlMessage(text);
  EXPECT_TRUE(std::holds_alternative<device::ControlMessage>(parsed)) << text;
  return std::get<device::ControlMessage>(parsed);
}

TEST(Messages, OnlineDescribesASite) {
  const auto message = ParseControl(OnlineMessage("solar-7", "session", kNow));
  EXPECT_FALSE(message.message_id.empty());
  const auto& online = std::get<device::Online>(message.body);
  EXPECT_EQ(online.session_id, device::SessionId("session"));
  EXPECT_EQ(online.description.client_name, "heliograph-fleet");
  EXPECT_THAT(online.description.canonical_facts, testing::HasSubstr("solar-7.sites.example"));
  EXPECT_THAT(online.description.dispatchers, testing::HasSubstr("echo"));
  EXPECT_THAT(online.description.tags, testing::HasSubstr("site"));
}

TEST(Messages, FactsStayTheSameAndDifferBetweenDevices) {
  EXPECT_EQ(FactsOf("solar-1"), FactsOf("solar-1"));
  EXPECT_NE(FactsOf("solar-1"), FactsOf("solar-2"));
}

TEST(Messages, TheWillNamesItsSessionAndReason) {
  const auto will = ParseControl(OfflineMessage("session", "connection_lost", kNow));
  const auto& offline = std::get<device::Offline>(will.body);
  EXPECT_EQ(offline.session_id, device::SessionId("session"));
  EXPECT_EQ(offline.reason, "connection_lost");
  const auto said = ParseControl(OfflineMessage("session", "", kNow));
  EXPECT_EQ(std::get<device::Offline>(said.body).reason, "said_offline");
}

TEST(Messages, EventsNameWhatTheyAnswer) {
  const auto pong = ParseControl(EventMessage("pong", "ping-1", kNow));
  const auto& event = std::get<device::DeviceEvent>(pong.body);
  EXPECT_EQ(event.name, "pong");
  EXPECT_EQ(event.response_to, "ping-1");
}

TEST(Messages, TelemetryAnswersNothingAndAResultDoes) {
  const std::string telemetry = DataMessage("monitoring.pms", R"({"datasets":[]})", kNow);
  EXPECT_FALSE(device::MayBeAnswer(telemetry));
  const auto parsed = device::ParseDataMessage(telemetry);
  ASSERT_TRUE(std::holds_alternative<device::DataMessage>(parsed)) << telemetry;
  EXPECT_EQ(std::get<device::DataMessage>(parsed).directive, "monitoring.pms");
  EXPECT_EQ(std::get<device::DataMessage>(parsed).content, R"({"datasets":[]})");

  const std::string result =
      ResultMessage("echo", "action", {{"status", "succeeded"}}, {1, 2}, kNow);
  EXPECT_TRUE(device::MayBeAnswer(result));
  const auto answer = device::ParseDataMessage(result);
  ASSERT_TRUE(std::holds_alternative<device::DataMessage>(answer)) << result;
  EXPECT_EQ(std::get<device::DataMessage>(answer).response_to, "action");
  EXPECT_EQ(std::get<device::DataMessage>(answer).content, "[1,2]");
}

}  // namespace
}  // namespace heliograph::fleet
