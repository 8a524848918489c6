#include "events/event_filter.h"

#include <gtest/gtest.h>

#include "json/json.h"

namespace heliograph::events {
namespace {

using device::TenantId;

postgres::TargetChange Change(const std::string& client_id, std::optional<TenantId> tenant) {
  postgres::TargetChange change;
  change.place = {17, 4};
  change.action_id = action::ActionId("01a1fc32-f748-7478-9604-a08dd30ef117");
  change.tenant = std::move(tenant);
  change.directive = action::Directive("solar.configure");
  if (client_id.empty()) return change;
  action::Target target;
  target.client_id = device::ClientId(client_id);
  target.status = action::TargetStatus::kRunning;
  target.note = "half \"done\"";
  change.target = std::move(target);
  return change;
}

TEST(EventFilter, EverythingThatIsGivenMustHold) {
  const auto target = Change("pv-1", TenantId("acme"));
  const auto ended = Change("", TenantId("acme"));
  EXPECT_TRUE(EventFilter{}.Wants(target));
  EXPECT_TRUE(EventFilter{}.Wants(ended));
  EXPECT_TRUE((EventFilter{.sight = TenantId("acme")}.Wants(target)));
  EXPECT_FALSE((EventFilter{.sight = TenantId("rival")}.Wants(target)));
  EXPECT_FALSE((EventFilter{.sight = TenantId("acme")}.Wants(Change("pv-1", std::nullopt))))
      << "an operator's";
  EXPECT_FALSE((EventFilter{.types = {EventType::kEnded}}.Wants(target)));
  EXPECT_TRUE((EventFilter{.types = {EventType::kEnded}}.Wants(ended)));
  EXPECT_TRUE((EventFilter{.client_id_prefix = "pv-"}.Wants(target)));
  EXPECT_FALSE((EventFilter{.client_id_prefix = "pv-2"}.Wants(target)));
  EXPECT_FALSE((EventFilter{.client_id_prefix = "pv-"}.Wants(ended))) << "of no device";
  EXPECT_TRUE((EventFilter{.action_id = target.action_id}.Wants(ended)));
  EXPECT_FALSE((EventFilter{.action_id = action::ActionId("other")}.Wants(ended)));
}

postgres::ConnectionChange Presence(const std::string& client_id, std::optional<TenantId> tenant,
                                    device::Change change = device::Change::kOnline) {
  postgres::ConnectionChange one;
  one.client_id = device::ClientId(client_id);
  one.tenant = std::move(tenant);
  one.change = change;
  return one;
}

TEST(EventFilter, OfConnections) {
  const auto online = Presence("pv-1", TenantId("acme"));
  EXPECT_TRUE(EventFilter{}.Wants(online));
  EXPECT_TRUE((EventFilter{.sight = TenantId("acme")}.Wants(online)));
  EXPECT_FALSE((EventFilter{.sight = TenantId("rival")}.Wants(online)));
  EXPECT_FALSE((EventFilter{.sight = TenantId("acme")}.Wants(Presence("pv-1", std::nullopt))))
      << "nobody is known to own it";
  EXPECT_FALSE((EventFilter{.types = {EventType::kOffline}}.Wants(online)));
  EXPECT_TRUE((EventFilter{.types = {EventType::kOffline}}.Wants(
      Presence("pv-1", std::nullopt, device::Change::kOffline))));
  EXPECT_TRUE((EventFilter{.types = {EventType::kChanged}}.Wants(
      Presence("pv-1", std::nullopt, device::Change::kChanged))));
  EXPECT_FALSE((EventFilter{.client_id_prefix = "pv-2"}.Wants(online)));
  EXPECT_FALSE((EventFilter{.action_id = action::ActionId("x")}.Wants(online))) << "of no action";
}

TEST(EventFilter, KnowsWhichLogsItNeeds) {
  EXPECT_TRUE(EventFilter{}.WantsActions() && EventFilter{}.WantsConnections());
  EXPECT_FALSE((EventFilter{.types = {EventType::kChanged}}.WantsActions()));
  EXPECT_FALSE((EventFilter{.types = {EventType::kEnded}}.WantsConnections()));
  EXPECT_FALSE((EventFilter{.action_id = action::ActionId("x")}.WantsConnections()));
}

TEST(EventType, HasAWordForEach) {
  for (const auto type : kEventTypes) {
    EXPECT_EQ(ParseEventType(EventTypeName(type)), type);
    EXPECT_EQ(EventTypeName(type).starts_with("action."), IsOfAction(type));
  }
  EXPECT_FALSE(ParseEventType("action"));
}

TEST(WriteChangeEvent, IsACloudEvent) {
  const auto read = [](const std::string& text) {
    const auto parsed = json::Parse(text);
    EXPECT_TRUE(parsed) << text;
    return *parsed;
  };
  const json::Value target = read(WriteChangeEvent(Change("pv-1", TenantId("acme"))));
  EXPECT_EQ(target["id"], "t17.4");
  EXPECT_EQ(target["type"], "heliograph.action.target");
  EXPECT_EQ(target["subject"], "pv-1");
  EXPECT_EQ(target["data"]["tenant"], "acme");
  EXPECT_EQ(target["data"]["target"]["note"], "half \"done\"");
  const json::Value ended = read(WriteChangeEvent(Change("", std::nullopt)));
  EXPECT_EQ(ended["type"], "heliograph.action.ended");
  EXPECT_EQ(ended["subject"], "01a1fc32-f748-7478-9604-a08dd30ef117");
  EXPECT_TRUE(ended["data"]["tenant"].is_null());
  EXPECT_FALSE(ended["data"].contains("target"));
}

TEST(ReadPlace, TakesWhatWritePlaceWritesAndNothingElse) {
  const auto targets = EventPlace::Of(postgres::TargetLogPlace{UINT64_MAX, INT64_MAX});
  const auto connections =
      EventPlace::Of(postgres::ConnectionLogPlace{UINT64_MAX, INT32_MAX, INT64_MAX});
  EXPECT_EQ(ReadPlace(WritePlace(targets)), targets);
  EXPECT_EQ(ReadPlace(WritePlace(connections)), connections);
  EXPECT_EQ(WritePlace(EventPlace::Before(7)), "t7.0");
  EXPECT_EQ(ReadPlace("t0.0"), EventPlace{});
  for (const char* text : {"",
                           "t",
                           "t1",
                           "t1.",
                           "t.1",
                           "1.1",
                           "t1.1 ",
                           "t-1.1",
                           "t1.-1",
                           "t+1.1",
                           "t18446744073709551616.0",
                           "t1.9223372036854775808",
                           "t1.1.1",
                           "c1.1",
                           "c1.1.",
                           "c1.1.1 ",
                           "c1.2147483648.1",
                           "c1.1.-1",
                           "c",
                           "x1.1.1"}) {
    EXPECT_FALSE(ReadPlace(text)) << text;
  }
}

TEST(EventPlace, IsOneOrderOfBothLogs) {
  const auto target = EventPlace::Of(postgres::TargetLogPlace{7, 900});
  const auto connection = EventPlace::Of(postgres::ConnectionLogPlace{7, 0, 5});
  EXPECT_LT(EventPlace::Before(7), target);
  EXPECT_LT(target, connection);
  EXPECT_LT(connection, EventPlace::Of(postgres::ConnectionLogPlace{7, 1, 0}));
  EXPECT_LT(connection, EventPlace::Before(8));
  EXPECT_EQ(target.InActions(), (postgres::TargetLogPlace{7, 900}));
  EXPECT_LT((postgres::ConnectionLogPlace{6, INT32_MAX, INT64_MAX}), target.InConnections());
  EXPECT_LT(target.InConnections(), (postgres::ConnectionLogPlace{7, 0, 0}));
  EXPECT_EQ(connection.InConnections(), (postgres::ConnectionLogPlace{7, 0, 5}));
  EXPECT_LT((postgres::TargetLogPlace{7, 900}), connection.InActions());
  EXPECT_LT(connection.InActions(), (postgres::TargetLogPlace{8, 0}));
}

}  // namespace
}  // namespace heliograph::events
