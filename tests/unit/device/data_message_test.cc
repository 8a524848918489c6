#include "device/data_message.h"

#include <gtest/gtest.h>

#include "json/json.h"

namespace heliograph::device {
namespace {

TEST(MayBeAnswer, SeesEveryAnswerAndFewOthers) {
  EXPECT_TRUE(MayBeAnswer(R"({"response_to":"a-1"})"));
  EXPECT_TRUE(MayBeAnswer("{\"response_to\" \t:\r\n \"a-1\"}")) << "white space";
  EXPECT_TRUE(MayBeAnswer(R"({"content":{"response_to":""},"response_to":"a-1"})"))
      << "an inner one comes first";
  EXPECT_FALSE(MayBeAnswer(R"({"response_to":""})"));
  EXPECT_FALSE(MayBeAnswer(R"({"response_to":null})"));
  EXPECT_FALSE(MayBeAnswer(R"({"content":"response_to"})"));
  EXPECT_FALSE(MayBeAnswer(R"({"response_to":)")) << "cut off";
  EXPECT_FALSE(MayBeAnswer(R"({"response_to":")")) << "cut off";
  EXPECT_FALSE(MayBeAnswer(""));
  EXPECT_FALSE(MayBeAnswer(std::string_view("\0\xff\x01", 3)));
}

TEST(ParseDataMessage, ReadsWhatItWrites) {
  DataMessage sent;
  sent.message_id = MessageId("a-1");
  sent.response_to = "x \"quoted\" \n";
  sent.directive = "monitoring.pms";
  sent.metadata = {{"status", "succeeded"}};
  sent.content = R"({"volts":[3.92,3.91],"name":"ä & <b>"})";
  const std::string wire = WriteDataMessage(sent, base::Timestamp{});
  const auto parsed = ParseDataMessage(wire);
  ASSERT_TRUE(std::holds_alternative<DataMessage>(parsed)) << wire;
  const DataMessage& read = std::get<DataMessage>(parsed);
  EXPECT_EQ(read.message_id, sent.message_id);
  EXPECT_EQ(read.response_to, sent.response_to);
  EXPECT_EQ(read.directive, sent.directive);
  EXPECT_EQ(read.metadata, sent.metadata);
  EXPECT_EQ(*json::Parse(read.content), *json::Parse(sent.content));
}

TEST(ParseDataMessage, WritesEmptyMetadataAsNull) {
  const auto written = json::Parse(WriteDataMessage({}, base::Timestamp{}));
  ASSERT_TRUE(written);
  EXPECT_TRUE((*written)["metadata"].is_null());
  EXPECT_EQ((*written)["response_to"], "");
  EXPECT_EQ((*written)["version"], 1);
  EXPECT_EQ((*written)["sent"], "1970-01-01T00:00:00.000000Z");
}

TEST(ParseDataMessage, RefusesWhatIsNoDataMessage) {
  using enum DeadLetterReason;
  const std::vector<std::pair<std::string, DeadLetterReason>> table{
      {"", kNotJson},
      {"[]", kNotAnEnvelope},
      {R"({"type":"event","response_to":"a"})", kUnknownType},
      {R"({"type":"data","metadata":[]})", kBadField},
      {R"({"type":"data","metadata":{"status":1}})", kBadField},
      {R"({"type":"data","directive":7})", kBadField},
      {R"({"type":"data","response_to":7})", kBadField},
  };
  for (const auto& [payload, reason] : table) {
    const auto parsed = ParseDataMessage(payload);
    ASSERT_TRUE(std::holds_alternative<Unacceptable>(parsed)) << payload;
    EXPECT_EQ(std::get<Unacceptable>(parsed).reason, reason) << payload;
  }
}

}  // namespace
}  // namespace heliograph::device
