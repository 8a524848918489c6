// What callers may ask for, and what they are shown.
#include "webhooks/definition.h"

#include <gtest/gtest.h>

#include "json/json.h"

namespace heliograph::webhooks {
namespace {

using action::RequestFault;

constexpr const char* kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

std::string FieldOf(const std::variant<CreateRequest, RequestFault>& parsed) {
  const auto* fault = std::get_if<RequestFault>(&parsed);
  return fault == nullptr ? "none" : fault->field;
}

std::string FieldOf(const std::variant<ChangeRequest, RequestFault>& parsed) {
  const auto* fault = std::get_if<RequestFault>(&parsed);
  return fault == nullptr ? "none" : fault->field;
}

TEST(ParseCreate, TakesEverything) {
  const auto parsed = ParseCreate(
      R"({"name":"alerts","url":"https://example.org/hook?a=b","client_id_prefix":"pv-",
          "types":["action.target","action.ended"],"secret":")" +
          std::string(kSecret) + R"(","action_id":"7d444840-9dc0-11d1-b245-5ffdce74fad2"})",
      {});
  ASSERT_EQ(FieldOf(parsed), "none");
  const auto& request = std::get<CreateRequest>(parsed);
  EXPECT_EQ(request.name, "alerts");
  EXPECT_EQ(request.definition.url, "https://example.org/hook?a=b");
  EXPECT_EQ(request.definition.types, "action.ended,action.target") << "one form";
  EXPECT_EQ(request.definition.client_id_prefix, "pv-");
  EXPECT_EQ(request.definition.action_id->str(), "7d444840-9dc0-11d1-b245-5ffdce74fad2");
  EXPECT_EQ(request.secret.Reveal(), kSecret);
}

TEST(ParseCreate, TakesTheLeast) {
  const auto parsed = ParseCreate(R"({"name":"a","url":"https://example.org","types":null})", {});
  ASSERT_EQ(FieldOf(parsed), "none");
  const auto& request = std::get<CreateRequest>(parsed);
  EXPECT_TRUE(request.secret.empty());
  EXPECT_EQ(request.definition.types, "");
  EXPECT_EQ(request.definition.action_id, std::nullopt);
}

TEST(ParseCreate, NamesWhatIsWrong) {
  const auto with = [](const std::string& member) {
    return FieldOf(ParseCreate(R"({"name":"a","url":"https://example.org",)" + member + "}", {}));
  };
  EXPECT_EQ(with(R"("types":[])"), "/types");
  EXPECT_EQ(with(R"("types":"action.ended")"), "/types");
  EXPECT_EQ(with(R"("types":["action.ended","nonsense"])"), "/types/1");
  EXPECT_EQ(with(R"("types":["action.ended",7])"), "/types/1");
  EXPECT_EQ(with(R"("types":["action.ended","action.ended"])"), "/types/1");
  EXPECT_EQ(with(R"("client_id_prefix":"a b")"), "/client_id_prefix");
  EXPECT_EQ(with(R"("client_id_prefix":"")"), "/client_id_prefix");
  EXPECT_EQ(with(R"("action_id":"x")"), "/action_id");
  EXPECT_EQ(with(R"("action_id":7)"), "/action_id");
  EXPECT_EQ(with(R"("secret":"x")"), "/secret");
  EXPECT_EQ(with(R"("secret":7)"), "/secret");
  EXPECT_EQ(with(R"("type":["action.ended"])"), "/type") << "a slip would have all events sent";
  EXPECT_EQ(FieldOf(ParseCreate(R"({"url":"https://example.org"})", {})), "/name");
  EXPECT_EQ(FieldOf(ParseCreate(R"({"name":"a/b","url":"https://example.org"})", {})), "/name");
  EXPECT_EQ(FieldOf(ParseCreate(R"({"name":7,"url":"https://example.org"})", {})), "/name");
  EXPECT_EQ(FieldOf(ParseCreate(R"({"name":"a"})", {})), "/url");
  EXPECT_EQ(FieldOf(ParseCreate(R"({"name":"a","url":null})", {})), "/url");
  EXPECT_EQ(FieldOf(ParseCreate("[]", {})), "");
  EXPECT_EQ(FieldOf(ParseCreate("", {})), "");
}

TEST(UrlFault, WhatMayBeCalled) {
  const UrlRules strict;
  const std::string http = "http://";
  const std::string https = "https://";
  for (const std::string& url :
       {https + "example.org", https + "example.org:8443/a?b=c", https + "1.1.1.1",
        https + "[2600::1]/", std::string("HTTPS://example.org")}) {
    EXPECT_EQ(UrlFault(url, strict), std::nullopt) << url;
  }
  for (const std::string& url :
       {http + "example.org", std::string("ftp://example.org"), std::string("example.org"),
        https + "user@example.org", https + "example.org/#x", https + "127.0.0.1",
        https + "2130706433/", https + "0x7f.1", https + "0177.0.0.1", https + "10.0.0.1",
        https + "169.254.169.254/latest", https + "[::1]", https + "[::ffff:10.0.0.1]",
        https + "[fd00:ec2::254]", https + "example.org/" + std::string(2048, 'x')}) {
    EXPECT_TRUE(UrlFault(url, strict)) << url;
  }
  const UrlRules wide{true, *http_client::AddressPolicy::Parse({"127.0.0.0/8"})};
  EXPECT_EQ(UrlFault(http + "127.0.0.1:8080/", wide), std::nullopt);
  EXPECT_TRUE(UrlFault(http + "192.168.1.1/", wide));
}

TEST(ParseChange, OnlyWhatIsGivenChanges) {
  const auto nothing = std::get<ChangeRequest>(ParseChange("{}", {}));
  EXPECT_FALSE(nothing.change.url || nothing.change.types || nothing.change.client_id_prefix ||
               nothing.change.action_id || nothing.change.secret || nothing.make_secret);
  const auto cleared = std::get<ChangeRequest>(
      ParseChange(R"({"types":null,"client_id_prefix":null,"action_id":null,"secret":null})", {}));
  EXPECT_EQ(cleared.change.types, "");
  EXPECT_EQ(cleared.change.client_id_prefix, "");
  ASSERT_TRUE(cleared.change.action_id.has_value());
  EXPECT_FALSE(cleared.change.action_id->has_value());
  EXPECT_TRUE(cleared.make_secret);
  EXPECT_EQ(FieldOf(ParseChange(R"({"name":"b"})", {})), "/name") << "a name is for ever";
  EXPECT_EQ(FieldOf(ParseChange(R"({"url":null})", {})), "/url");
}

TEST(FilterOf, WhatTheTenantSees) {
  const auto filter = FilterOf({"https://example.org", "action.ended", "pv-", std::nullopt},
                               device::TenantId("acme"));
  EXPECT_EQ(filter.sight, device::TenantId("acme"));
  EXPECT_EQ(filter.types, std::set<events::EventType>{events::EventType::kEnded});
  EXPECT_EQ(filter.client_id_prefix, "pv-");
  EXPECT_EQ(
      FilterOf({"https://example.org", "action.ended,action.target", "", {}}, {}).types.size(), 2u);
}

TEST(AppendWebhook, TheSecretOnlyWhereItIsNew) {
  postgres::Webhook webhook;
  webhook.name = "alerts";
  webhook.active = true;
  webhook.definition = {"https://example.org", "action.ended,action.target", "", {}};
  std::string out;
  AppendWebhook(out, webhook, nullptr);
  const json::Parsed shown = json::Parse(out);
  ASSERT_TRUE(shown) << out;
  EXPECT_FALSE(shown->contains("secret"));
  EXPECT_EQ((*shown)["types"], json::Value({"action.ended", "action.target"}));
  EXPECT_EQ((*shown)["client_id_prefix"], nullptr);
  EXPECT_EQ((*shown)["state"], "active");
  const base::Secret made(kSecret);
  out.clear();
  AppendWebhook(out, webhook, &made);
  EXPECT_EQ((*json::Parse(out))["secret"], kSecret);
}

}  // namespace
}  // namespace heliograph::webhooks
