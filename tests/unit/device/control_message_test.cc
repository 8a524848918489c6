#include "device/control_message.h"

#include <gtest/gtest.h>

namespace heliograph::device {
namespace {

std::string Status(const std::string& content, const std::string& more = "") {
  return R"({"type":"connection-status","message_id":"m-1","version":1,"sent":"2026-11-21T02:29:54Z")" +
         more + R"(,"content":)" + content + "}";
}

ControlMessage Good(std::string_view payload) {
  auto parsed = ParseControlMessage(payload);
  if (const auto* fault = std::get_if<Unacceptable>(&parsed)) {
    ADD_FAILURE() << payload << ": " << fault->detail;
    return {};
  }
  return std::get<ControlMessage>(parsed);
}

TEST(ParseControlMessage, ReadsAnOnlineInFull) {
  const ControlMessage message = Good(Status(
      R"({"state":"online","session_id":"s-1","canonical_facts":{"fqdn":"a & <b>","ip_addresses":["10.0.0.1"]},)"
      R"("dispatchers":{"rhc":{"k":"v"}},"tags":{"site":"north"},"client_name":"fleet","client_version":"1.2"})"));
  EXPECT_EQ(message.message_id, MessageId("m-1"));
  const Online& online = std::get<Online>(message.body);
  EXPECT_EQ(online.session_id, SessionId("s-1"));
  EXPECT_EQ(online.description.canonical_facts,
            R"({"fqdn":"a & <b>","ip_addresses":["10.0.0.1"]})");
  EXPECT_EQ(online.description.dispatchers, R"({"rhc":{"k":"v"}})");
  EXPECT_EQ(online.description.tags, R"({"site":"north"})");
  EXPECT_EQ(online.description.client_name, "fleet");
  EXPECT_EQ(online.description.client_version, "1.2");
}

TEST(ParseControlMessage, TakesWhatAgentsInTheFieldLeaveOut) {
  for (
      const char* content :
      {R"({"state":"online","canonical_facts":null,"dispatchers":null,"tags":null,"client_name":null,"session_id":""})",
       R"({"state":"online"})"}) {
    const ControlMessage message = Good(Status(content, R"(,"response_to":"")"));
    const Online& online = std::get<Online>(message.body);
    EXPECT_FALSE(online.session_id);
    EXPECT_EQ(online.description.dispatchers, "null");
  }
  EXPECT_EQ(Good(R"({"type":"connection-status","content":{"state":"online"}})").message_id,
            MessageId(""));
  EXPECT_TRUE(std::holds_alternative<Online>(
      Good(
          R"({"type":"connection-status","sent":"1970-01-01T00:00:00+00:00","version":null,"content":{"state":"online"},"unknown":[1]})")
          .body))
      << "a clock that was never set, an unknown field";
}

TEST(ParseControlMessage, GivesAnOfflineItsReason) {
  EXPECT_EQ(std::get<Offline>(Good(Status(R"({"state":"offline"})")).body).reason, "said_offline");
  const Offline will = std::get<Offline>(
      Good(
          Status(
              R"({"state":"offline","reason":"connection_lost","session_id":"s-1","dispatchers":null})"))
          .body);
  EXPECT_EQ(will.reason, "connection_lost");
  EXPECT_EQ(will.session_id, SessionId("s-1"));
}

TEST(ParseControlMessage, ReadsEvents) {
  const ControlMessage pong = Good(R"({"type":"event","response_to":"a-1","content":"pong"})");
  EXPECT_EQ(std::get<DeviceEvent>(pong.body).name, "pong");
  EXPECT_EQ(std::get<DeviceEvent>(pong.body).response_to, "a-1");
}

TEST(ParseControlMessage, RemovesTheNulThatPostgresqlCannotStore) {
  const Online online = std::get<Online>(
      Good(
          Status(
              R"({"state":"online","session_id":"s\u0000-1","canonical_facts":{"a\u0000":"b\u0000c"}})"))
          .body);
  EXPECT_EQ(online.session_id, SessionId("s-1"));
  EXPECT_EQ(online.description.canonical_facts, R"({"a":"bc"})");
}

struct Poison {
  const char* what;
  std::string payload;
  DeadLetterReason reason;
};

const std::string kContent = R"(,"content":{"state":"online"}})";

TEST(ParseControlMessage, RefusesPoisonWithItsReason) {
  using enum DeadLetterReason;
  const std::vector<Poison> table{
      {"not JSON", "hello", kNotJson},
      {"cut off", R"({"type":"event")", kNotJson},
      {"something after the value", R"({"type":"event","content":"pong"} x)", kNotJson},
      {"a NUL byte", std::string("{\"type\":\"eve\0nt\"}", 17), kNotJson},
      {"invalid UTF-8", "{\"type\":\"event\",\"content\":\"\xff\xfe\"}", kNotJson},
      {"an overlong UTF-8 NUL", "{\"type\":\"event\",\"content\":\"\xc0\x80\"}", kNotJson},
      {"half a surrogate pair", R"({"type":"event","content":"\ud800"})", kNotJson},
      {"a byte order mark alone", "\xef\xbb\xbf", kNotJson},
      {"1 MiB of [", std::string(1 << 20, '['), kTooDeep},
      {"depth 10,000", std::string(10000, '[') + std::string(10000, ']'), kTooDeep},
      {"depth 10,000 in the facts",
       Status(R"({"state":"online","canonical_facts":)" + std::string(10000, '[') +
              std::string(10000, ']') + "}"),
       kTooDeep},
      {"an array", "[]", kNotAnEnvelope},
      {"a string", "\"online\"", kNotAnEnvelope},
      {"null", "null", kNotAnEnvelope},
      {"no type", R"({"content":{"state":"online"}})", kNotAnEnvelope},
      {"type null", R"({"type":null,"content":{"state":"online"}})", kNotAnEnvelope},
      {"type is a number", R"({"type":7})", kBadField},
      {"a type nobody knows", R"({"type":"weather","content":{}})", kUnknownType},
      {"no content", R"({"type":"connection-status"})", kBadField},
      {"content null", R"({"type":"connection-status","content":null})", kBadField},
      {"content is a string", R"({"type":"connection-status","content":"online"})", kBadField},
      {"content is an array", R"({"type":"connection-status","content":[]})", kBadField},
      {"state missing", Status("{}"), kBadField},
      {"state unknown", Status(R"({"state":"asleep"})"), kBadField},
      {"state is true", Status(R"({"state":true})"), kBadField},
      {"an event without content", R"({"type":"event"})", kBadField},
      {"an event with an object", R"({"type":"event","content":{}})", kBadField},
      {"dispatchers is an array", Status(R"({"state":"online","dispatchers":[]})"), kBadField},
      {"a dispatcher is a string", Status(R"({"state":"online","dispatchers":{"a":"b"}})"),
       kBadField},
      {"tags hold numbers", Status(R"({"state":"online","tags":{"a":1}})"), kBadField},
      {"session_id is a number", Status(R"({"state":"online","session_id":1})"), kBadField},
      {"a session_id that no index takes",
       Status(R"({"state":"online","session_id":")" + std::string(257, 's') + "\"}"), kBadField},
      {"message_id is an object", R"({"type":"connection-status","message_id":{})" + kContent,
       kBadField},
      {"version 2", R"({"type":"connection-status","version":2)" + kContent, kBadField},
      {"version 1e400", R"({"type":"connection-status","version":1e400)" + kContent, kBadField},
      {"a huge number in the facts",
       Status(R"({"state":"online","canonical_facts":{"n":-1e999999}})"), kBadField},
      {"the same name twice", R"({"type":"connection-status","type":"event","content":"pong"})",
       kBadField},
      {"the same name twice, deep",
       Status(R"({"state":"online","canonical_facts":{"a":{"b":1,"b":2}}})"), kBadField},
      {"sent in the year 1",
       R"({"type":"connection-status","sent":"0001-01-01T00:00:00Z")" + kContent, kBadField},
      {"sent in the year 9999",
       R"({"type":"connection-status","sent":"9999-12-31T23:59:59Z")" + kContent, kBadField},
      {"sent is no time", R"({"type":"connection-status","sent":"yesterday")" + kContent,
       kBadField},
      {"sent is a number", R"({"type":"connection-status","sent":1700000000)" + kContent,
       kBadField},
  };
  for (const Poison& row : table) {
    const auto parsed = ParseControlMessage(row.payload);
    const auto* fault = std::get_if<Unacceptable>(&parsed);
    ASSERT_NE(fault, nullptr) << row.what;
    EXPECT_EQ(DeadLetterReasonName(fault->reason), DeadLetterReasonName(row.reason))
        << row.what << ": " << fault->detail;
    EXPECT_FALSE(fault->detail.empty()) << row.what;
    EXPECT_LT(fault->detail.size(), 300u) << row.what;
  }
}

}  // namespace
}  // namespace heliograph::device
