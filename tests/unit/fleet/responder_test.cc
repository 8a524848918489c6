#include "fleet/responder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rfc3339.h"
#include "device/control_message.h"
#include "device/data_message.h"

namespace heliograph::fleet {
namespace {

using std::chrono::milliseconds;
using testing::IsEmpty;
using testing::SizeIs;

const base::Timestamp kNow{std::chrono::seconds(1'700'000'000)};

std::string Action(const std::string& id, const std::string& directive,
                   const std::string& content) {
  return R"({"type":"data","message_id":")" + id +
         R"(","response_to":"","version":1,"sent":"","directive":")" + directive +
         R"(","metadata":null,"content":)" + content + "}";
}

std::string Command(const std::string& content) {
  return R"({"type":"command","message_id":"c-1","response_to":"","version":1,"sent":"","content":)" +
         content + "}";
}

device::DataMessage Answer(const Reply& reply) {
  EXPECT_EQ(reply.channel, device::Channel::kData);
  return std::get<device::DataMessage>(device::ParseDataMessage(reply.payload));
}

TEST(Responder, RunsAnActionAndEchoesItsContent) {
  Responder responder({});
  const Reaction reaction = responder.OnData(Action("a-1", "echo", R"({"say":[1,"ö"]})"), kNow);
  EXPECT_TRUE(reaction.is_action);
  ASSERT_THAT(reaction.replies, SizeIs(1));
  const device::DataMessage answer = Answer(reaction.replies[0]);
  EXPECT_EQ(answer.response_to, "a-1");
  EXPECT_EQ(answer.directive, "echo");
  EXPECT_EQ(answer.metadata.at("status"), "succeeded");
  EXPECT_EQ(answer.content, R"({"say":[1,"ö"]})");
}

TEST(Responder, RunsAnIdOnceAndAnswersItAgain) {
  Responder responder({});
  const Reaction first = responder.OnData(Action("a-1", "echo", "1"), kNow);
  const Reaction second =
      responder.OnData(Action("a-1", "echo", "1"), kNow + std::chrono::hours(1));
  EXPECT_FALSE(second.is_action);
  ASSERT_THAT(second.replies, SizeIs(1));
  EXPECT_EQ(second.replies[0].payload, first.replies[0].payload);
  EXPECT_TRUE(responder.OnData(Action("a-2", "echo", "1"), kNow).is_action);
}

TEST(Responder, RefusesWhatComesAfterItsDeadline) {
  Responder responder({});
  const std::string deadline = base::FormatRfc3339(kNow);
  const std::string action = R"({"type":"data","message_id":"a-1","directive":"echo",)"
                             R"("metadata":{"heliograph.deadline":")" +
                             deadline + R"("},"content":1})";
  const Reaction late = responder.OnData(action, kNow + std::chrono::microseconds(1));
  EXPECT_FALSE(late.is_action);
  ASSERT_THAT(late.replies, SizeIs(1));
  EXPECT_EQ(Answer(late.replies[0]).metadata.at("status"), "failed");
  EXPECT_EQ(Answer(late.replies[0]).metadata.at("reason"), "deadline_passed");
  EXPECT_TRUE(responder.OnData(action, kNow).is_action);
}

TEST(Responder, SaysAcceptedAndRunningWhenAskedTo) {
  Responder responder({.stages = true, .answer_delay = milliseconds(100)});
  const Reaction reaction = responder.OnData(Action("a-1", "echo", "1"), kNow);
  ASSERT_THAT(reaction.replies, SizeIs(3));
  const char* const statuses[] = {"accepted", "running", "succeeded"};
  const milliseconds delays[] = {milliseconds(0), milliseconds(50), milliseconds(100)};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(Answer(reaction.replies[i]).metadata.at("status"), statuses[i]);
    EXPECT_EQ(reaction.replies[i].after, delays[i]);
  }
  EXPECT_EQ(Answer(reaction.replies[1]).metadata.at("progress"), "50");
}

TEST(Responder, CanFailAndCanBeSilent) {
  Responder responder({});
  const Reaction failing = responder.OnData(Action("a-1", "fail", "1"), kNow);
  ASSERT_THAT(failing.replies, SizeIs(1));
  EXPECT_EQ(Answer(failing.replies[0]).metadata.at("status"), "failed");
  EXPECT_NE(Answer(failing.replies[0]).metadata.at("reason"), "");
  EXPECT_THAT(responder.OnData(Action("a-2", "silent", "1"), kNow).replies, IsEmpty());
}

TEST(Responder, IgnoresWhatItCannotRead) {
  Responder responder({});
  for (const char* payload :
       {"", "{", "[]", "1", "{}", R"({"message_id":7})", R"({"message_id":""})",
        R"({"type":"command"})", R"({"type":"command","content":"ping"})",
        R"({"type":"command","content":{"command":7}})",
        R"({"type":"receipt","content":{"state":"stored"}})"}) {
    EXPECT_THAT(responder.OnData(payload, kNow).replies, IsEmpty()) << payload;
    const Reaction reaction = responder.OnControl(payload, kNow);
    EXPECT_THAT(reaction.replies, IsEmpty()) << payload;
    EXPECT_EQ(reaction.then, Then::kStay) << payload;
  }
}

TEST(Responder, ObeysCommands) {
  Responder responder({});
  const Reaction ping =
      responder.OnControl(Command(R"({"command":"ping","arguments":null})"), kNow);
  ASSERT_THAT(ping.replies, SizeIs(1));
  EXPECT_EQ(ping.replies[0].channel, device::Channel::kControl);
  const auto parsed = device::ParseControlMessage(ping.replies[0].payload);
  const auto& event = std::get<device::DeviceEvent>(std::get<device::ControlMessage>(parsed).body);
  EXPECT_EQ(event.name, "pong");
  EXPECT_EQ(event.response_to, "c-1");
  EXPECT_EQ(ping.then, Then::kStay);

  const Reaction leave =
      responder.OnControl(Command(R"({"command":"disconnect","arguments":{}})"), kNow);
  EXPECT_EQ(leave.then, Then::kDisconnect);
  EXPECT_THAT(leave.replies, SizeIs(1));
}

TEST(Responder, ReconnectsAfterTheDelayItIsGiven) {
  Responder responder({});
  struct Case {
    const char* arguments;
    std::chrono::seconds delay;
  };
  const Case cases[] = {{R"({"delay":"5"})", std::chrono::seconds(5)},
                        {R"({"delay":"0"})", std::chrono::seconds(0)},
                        {R"({"delay":"soon"})", std::chrono::seconds(0)},
                        {R"({"delay":"-5"})", std::chrono::seconds(0)},
                        {R"({"delay":"99999999"})", std::chrono::hours(1)},
                        {R"({"delay":5})", std::chrono::seconds(0)},
                        {"null", std::chrono::seconds(0)}};
  for (const Case& one : cases) {
    const Reaction reaction = responder.OnControl(
        Command(std::string(R"({"command":"reconnect","arguments":)") + one.arguments + "}"), kNow);
    EXPECT_EQ(reaction.then, Then::kReconnect) << one.arguments;
    EXPECT_EQ(reaction.delay, one.delay) << one.arguments;
  }
}

}  // namespace
}  // namespace heliograph::fleet
