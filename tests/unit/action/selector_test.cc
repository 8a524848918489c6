#include "action/selector.h"

#include <gtest/gtest.h>

#include "action/group.h"

namespace heliograph::action {
namespace {

TEST(Selector, IsReadAsItIsWritten) {
  const Selector all{.state = device::ConnectionState::kUnknown,
                     .tenant = device::TenantId("acme"),
                     .client_id_prefix = "inverter-",
                     .tags = {{"site", "north"}, {"empty", ""}},
                     .dispatcher = "solar",
                     .client_version = "2.1"};
  for (const Selector& selector : {all, Selector{}}) {
    const auto read = ParseSelector(WriteSelector(selector));
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, selector);
  }
  EXPECT_EQ(WriteSelector(Selector{}), "{}");
}

TEST(Selector, WhatItDoesNotKnowIsRefused) {
  const std::string long_text(257, 'x');
  const std::string cases[] = {
      "[]",
      "null",
      R"({"state":"on"})",
      R"({"state":null})",
      R"({"State":"online"})",
      R"({"tenant":""})",
      R"({"client_id_prefix":""})",
      R"({"client_id_prefix":"a/"})",
      R"({"tags":[]})",
      R"({"tags":{"":"x"}})",
      R"({"tags":{"a":null}})",
      R"({"tags":{"a":"\u0000"}})",
      R"({"tags":{"1":"","2":"","3":"","4":"","5":"","6":"","7":"","8":"","9":""}})",
      R"({"dispatcher":""})",
      R"({"dispatcher":")" + long_text + R"("})",
      R"({"client_version":1})",
      R"({"seen_before":"2026-01-01T00:00:00Z"})",
  };
  for (const std::string& text : cases) {
    const auto read = ParseSelector(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, base::ErrorCode::kInvalidArgument);
  }
}

TEST(Group, SaysWhichFieldIsWrong) {
  const struct {
    const char* body;
    const char* field;
  } cases[] = {
      {"[", ""},
      {"[]", ""},
      {"{}", "/client_ids"},
      {R"({"client_ids":null})", "/client_ids"},
      {R"({"client_ids":["a","a"]})", "/client_ids"},
      {R"({"client_ids":["a",7]})", "/client_ids/1"},
      {R"({"client_ids":[],"selector":{}})", "/selector"},
      {R"({"selector":{"x":1}})", "/selector/x"},
  };
  for (const auto& row : cases) {
    const auto parsed = ParseGroup(row.body);
    const auto* fault = std::get_if<RequestFault>(&parsed);
    ASSERT_NE(fault, nullptr) << row.body;
    EXPECT_EQ(fault->field, row.field) << row.body;
  }
  EXPECT_TRUE(std::get<GroupDefinition>(ParseGroup(R"({"selector":{},"more":1})")).selector);
  EXPECT_TRUE(std::get<GroupDefinition>(ParseGroup(R"({"client_ids":[]})")).client_ids.empty());
}

TEST(Group, IsWrittenInFull) {
  Group group;
  group.name = GroupName("roof");
  group.members = 2;
  group.client_ids = {device::ClientId("a"), device::ClientId("b")};
  EXPECT_EQ(
      WriteGroup(group),
      R"({"name":"roof","tenant":null,"selector":null,"members":2,)"
      R"("created_at":"1970-01-01T00:00:00.000000Z","updated_at":"1970-01-01T00:00:00.000000Z",)"
      R"("client_ids":["a","b"]})");
  group.selector = Selector{};
  group.client_ids.reset();
  group.tenant = device::TenantId("acme");
  EXPECT_TRUE(WriteGroup(group).starts_with(
      R"({"name":"roof","tenant":"acme","selector":{},"members":null,)"));
  EXPECT_TRUE(WriteGroup(group).ends_with(R"("client_ids":null})"));
}

}  // namespace
}  // namespace heliograph::action
