#include "recorder/event.h"

#include <gtest/gtest.h>

#include "json/json.h"

namespace heliograph::recorder {
namespace {

constexpr std::size_t kPlenty = 1024 * 1024;

device::Connection Online() {
  device::Connection connection;
  connection.client_id = device::ClientId("pv-1");
  connection.tenant = device::TenantId("north");
  connection.state = device::ConnectionState::kOnline;
  connection.reason = "said_online";
  connection.description.canonical_facts = R"({"fqdn":"a & <b>","é":1})";
  connection.position = {2, 1042};
  return connection;
}

const EventOrigin kOrigin{"device.control", 1, {2, 1042}, base::Timestamp{}};

TEST(WriteEvent, IsACloudEventWithTheConnectionAsData) {
  const std::string text = WriteEvent(device::Change::kOnline, Online(), kOrigin, kPlenty);
  const auto parsed = json::Parse(text);
  ASSERT_TRUE(parsed) << text;
  const json::Value& event = *parsed;
  EXPECT_EQ(event["specversion"], "1.0");
  EXPECT_EQ(event["id"], "device.control/2/1042");
  EXPECT_EQ(event["source"], "/heliograph/recorder/1");
  EXPECT_EQ(event["type"], "heliograph.connection.online");
  EXPECT_EQ(event["subject"], "pv-1");
  EXPECT_EQ(event["time"], "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(event["data"]["tenant"], "north");
  EXPECT_EQ(event["data"]["log_position"], "2:1042");
  EXPECT_EQ(event["data"]["canonical_facts"]["fqdn"], "a & <b>");
  EXPECT_NE(text.find(R"("fqdn":"a & <b>","é":1)"), std::string::npos) << "as it was sent";
}

TEST(WriteEvent, HasATypeForEachChange) {
  const auto type = [](device::Change change) {
    return (*json::Parse(WriteEvent(change, Online(), kOrigin, kPlenty)))["type"]
        .get<std::string>();
  };
  EXPECT_EQ(type(device::Change::kOffline), "heliograph.connection.offline");
  EXPECT_EQ(type(device::Change::kChanged), "heliograph.connection.changed");
}

TEST(WriteEvent, OfARecreatedLogHasAnotherSource) {
  EventOrigin origin = kOrigin;
  origin.generation = 2;
  const auto parsed = json::Parse(WriteEvent(device::Change::kOnline, Online(), origin, kPlenty));
  EXPECT_EQ((*parsed)["source"], "/heliograph/recorder/2") << "its offsets begin at 0 again";
}

TEST(WriteEvent, WhatKafkaWouldNotTakeIsToldWithoutTheDescription) {
  device::Connection connection = Online();
  connection.description.canonical_facts = "\"" + std::string(5000, 'x') + "\"";
  const std::string text = WriteEvent(device::Change::kOnline, connection, kOrigin, 2000);
  EXPECT_LE(text.size(), 2000U);
  const auto parsed = json::Parse(text);
  ASSERT_TRUE(parsed);
  EXPECT_EQ((*parsed)["truncated"], "true");
  EXPECT_EQ((*parsed)["data"]["state"], "online");
  EXPECT_TRUE((*parsed)["data"]["canonical_facts"].is_null());
}

}  // namespace
}  // namespace heliograph::recorder
