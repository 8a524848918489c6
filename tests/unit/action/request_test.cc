#include "action/request.h"

#include <gtest/gtest.h>

#include "json/json.h"

namespace heliograph::action {
namespace {

Request Good(std::string_view body) {
  auto parsed = ParseRequest(body);
  if (const auto* fault = std::get_if<RequestFault>(&parsed)) {
    ADD_FAILURE() << fault->field << ": " << fault->message;
    return {};
  }
  return std::get<Request>(std::move(parsed));
}

TEST(ParseRequest, ReadsAllFields) {
  const Request request = Good(
      R"({"targets":{"client_ids":["b","a"]},"directive":"solar.configure","payload":{"z":1,"a":[null,"&<ä"]},)"
      R"("metadata":{"ticket":"T-1"},"more":true})");
  EXPECT_EQ(request.client_ids, (std::vector{device::ClientId("a"), device::ClientId("b")}));
  EXPECT_EQ(request.directive, Directive("solar.configure"));
  EXPECT_EQ(request.payload, R"({"a":[null,"&<ä"],"z":1})");
  EXPECT_EQ(request.metadata, (std::map<std::string, std::string>{{"ticket", "T-1"}}));
}

TEST(ParseRequest, TakesAnyPayload) {
  for (const char* payload :
       {"null", "0", "-1.5", "\"\"", "\"\\u0000\"", "[]", "{}", "true", "18446744073709551615"}) {
    const std::string body =
        std::string(R"({"targets":{"client_ids":["a"]},"directive":"d","payload":)") + payload +
        "}";
    EXPECT_EQ(Good(body).payload, payload);
  }
}

TEST(ParseRequest, IsCanonical) {
  const Request one =
      Good(R"({"targets":{"client_ids":["a"]},"directive":"d","payload":{"x":1,"y":2}})");
  const Request two =
      Good(R"( {"payload" : {"y":2, "x":1}, "directive":"d", "targets":{"client_ids":["a"]}} )");
  const Request other =
      Good(R"({"targets":{"client_ids":["a"]},"directive":"d","payload":{"x":1,"y":3}})");
  EXPECT_EQ(one.canonical, two.canonical);
  EXPECT_NE(one.canonical, other.canonical);
}

TEST(ParseRequest, SaysWhichFieldIsWrong) {
  const std::string ids = R"("targets":{"client_ids":["a"]})";
  const struct {
    std::string body;
    const char* field;
  } cases[] = {
      {"", ""},
      {"{", ""},
      {"[]", ""},
      {"null", ""},
      {R"({"directive":"d","payload":1})", "/targets"},
      {R"({"targets":[],"directive":"d","payload":1})", "/targets"},
      {R"({"targets":{},"directive":"d","payload":1})", "/targets/client_ids"},
      {R"({"targets":{"client_ids":[]},"directive":"d","payload":1})", "/targets/client_ids"},
      {R"({"targets":{"client_ids":["a","b","a"]},"directive":"d","payload":1})",
       "/targets/client_ids"},
      {R"({"targets":{"client_ids":["a",1]},"directive":"d","payload":1})",
       "/targets/client_ids/1"},
      {R"({"targets":{"client_ids":["a/b"]},"directive":"d","payload":1})",
       "/targets/client_ids/0"},
      {R"({"targets":{"client_ids":["@ingest"]},"directive":"d","payload":1})",
       "/targets/client_ids/0"},
      {"{" + ids + R"(,"payload":1})", "/directive"},
      {"{" + ids + R"(,"directive":"a b","payload":1})", "/directive"},
      {"{" + ids + R"(,"directive":"d"})", "/payload"},
      {"{" + ids + R"(,"directive":"d","payload":1,"metadata":[]})", "/metadata"},
      {"{" + ids + R"(,"directive":"d","payload":1,"metadata":{"a":1}})", "/metadata/a"},
      {"{" + ids + R"(,"directive":"d","payload":1,"metadata":{"":"x"}})", "/metadata/"},
      {"{" + ids + R"(,"directive":"d","payload":1,"metadata":{"heliograph.deadline":"x"}})",
       "/metadata/heliograph.deadline"},
      {"{" + ids + R"(,"directive":"d","payload":1,"metadata":{"a/~":null}})", "/metadata/a~1~0"},
      {"{" + ids + R"(,"directive":"d","payload":1,"payload":1})", ""},
      {"{" + ids + R"(,"directive":"d","payload":1,"ttl_s":0})", "/ttl_s"},
      {"{" + ids + R"(,"directive":"d","payload":1,"ttl_s":2592001})", "/ttl_s"},
      {"{" + ids + R"(,"directive":"d","payload":1,"ttl_s":1.5})", "/ttl_s"},
      {"{" + ids + R"(,"directive":"d","payload":1,"ttl_s":"60"})", "/ttl_s"},
      {"{" + ids + R"(,"directive":"d","payload":1,"ttl_s":18446744073709551615})", "/ttl_s"},
      {"{" + ids + R"(,"directive":"d","payload":1,"if_offline":"wait"})", "/if_offline"},
      {"{" + ids + R"(,"directive":"d","payload":1,"if_offline":true})", "/if_offline"},
      {"{" + ids + R"(,"directive":"d","payload":1,"deadline":"tomorrow"})", "/deadline"},
      {"{" + ids + R"(,"directive":"d","payload":1,"deadline":1700000000})", "/deadline"},
      {"{" + ids + R"(,"directive":"d","payload":1,"ttl_s":1,"deadline":"2023-11-14T22:13:20Z"})",
       "/deadline"},
      {R"({"targets":{"client_ids":["a"],"exclude":["a"]},"directive":"d","payload":1})",
       "/targets/client_ids"},
      {R"({"targets":{"client_ids":["a"],"exclude":"b"},"directive":"d","payload":1})",
       "/targets/exclude"},
      {R"({"targets":{"client_ids":["a"],"exclude":["b","/"]},"directive":"d","payload":1})",
       "/targets/exclude/1"},
      {R"({"targets":{"client_ids":null},"directive":"d","payload":1})", "/targets/client_ids"},
      {R"({"targets":{"client_ids":["a"],"group":"g"},"directive":"d","payload":1})",
       "/targets/group"},
      {R"({"targets":{"client_ids":["a"],"selector":{}},"directive":"d","payload":1})",
       "/targets/selector"},
      {R"({"targets":{"group":"g","selector":{}},"directive":"d","payload":1})",
       "/targets/selector"},
      {R"({"targets":{"group":7},"directive":"d","payload":1})", "/targets/group"},
      {R"({"targets":{"group":"a b"},"directive":"d","payload":1})", "/targets/group"},
      {R"({"targets":{"selector":null},"directive":"d","payload":1})", "/targets/selector"},
      {R"({"targets":{"selector":{"a/b":1}},"directive":"d","payload":1})",
       "/targets/selector/a~1b"},
      {R"({"targets":{"selector":{},"exclude":["a","a"]},"directive":"d","payload":1})",
       "/targets/exclude"},
      {"{" + ids + R"(,"directive":"d","payload":1,"dry_run":"yes"})", "/dry_run"},
      {"{" + ids + R"(,"directive":"d","payload":1,"dry_run_id":"x"})", "/dry_run_id"},
      {"{" + ids + R"(,"directive":"d","payload":1,"dry_run_id":7})", "/dry_run_id"},
      {"{" + ids +
           R"(,"directive":"d","payload":1,"dry_run":true,"dry_run_id":"01A1fc62-c055-7048-8610-74a05baaca77"})",
       "/dry_run_id"},
  };
  for (const auto& row : cases) {
    const auto parsed = ParseRequest(row.body);
    const auto* fault = std::get_if<RequestFault>(&parsed);
    ASSERT_NE(fault, nullptr) << row.body;
    EXPECT_EQ(fault->field, row.field) << row.body;
    EXPECT_FALSE(fault->message.empty());
  }
}

TEST(ParseRequest, ReadsSetsOfDevices) {
  const Request group =
      Good(R"({"targets":{"group":"roof","exclude":["b","a"]},"directive":"d","payload":1})");
  EXPECT_EQ(group.group, GroupName("roof"));
  EXPECT_EQ(group.exclude, (std::vector{device::ClientId("a"), device::ClientId("b")}));
  EXPECT_TRUE(group.client_ids.empty());
  const Request selector =
      Good(R"({"targets":{"selector":{"state":"online"}},"directive":"d","payload":1})");
  ASSERT_TRUE(selector.selector);
  EXPECT_EQ(selector.selector->state, device::ConnectionState::kOnline);
  const Request named = Good(
      R"({"targets":{"client_ids":["a","b"],"exclude":["b","c"]},"directive":"d","payload":1})");
  EXPECT_EQ(named.client_ids, std::vector{device::ClientId("a")});
  EXPECT_EQ(named.exclude, std::vector{device::ClientId("b")}) << "c was not named";
}

TEST(ParseRequest, MeansTheSameWhetherItIsADryRun) {
  const std::string begin = R"({"targets":{"group":"g"},"directive":"d","payload":1)";
  const Request dry = Good(begin + R"(,"dry_run":true})");
  const Request real =
      Good(begin + R"(,"dry_run":false,"dry_run_id":"01A1FC62-C055-7048-8610-74A05BAACA77"})");
  EXPECT_TRUE(dry.dry_run);
  EXPECT_EQ(real.dry_run_id, "01a1fc62-c055-7048-8610-74a05baaca77");
  EXPECT_EQ(dry.meaning, real.meaning);
  EXPECT_EQ(dry.meaning, Good(begin + "}").meaning);
  EXPECT_NE(dry.canonical, real.canonical);
  EXPECT_NE(dry.meaning, Good(begin + R"(,"ttl_s":5})").meaning);
}

TEST(ParseRequest, ReadsHowLongItLives) {
  const std::string begin = R"({"targets":{"client_ids":["a"]},"directive":"d","payload":1)";
  EXPECT_EQ(Good(begin + "}").ttl, std::nullopt);
  EXPECT_EQ(Good(begin + "}").deadline, std::nullopt);
  EXPECT_EQ(Good(begin + R"(,"ttl_s":2592000})").ttl, std::chrono::seconds(2'592'000));
  EXPECT_EQ(Good(begin + R"(,"ttl_s":60.0})").ttl, std::chrono::seconds(60));
  EXPECT_EQ(Good(begin + "}").if_offline, IfOffline::kFail);
  EXPECT_EQ(Good(begin + R"(,"if_offline":null})").if_offline, IfOffline::kFail);
  EXPECT_EQ(Good(begin + R"(,"if_offline":"queue"})").if_offline, IfOffline::kQueue);
  EXPECT_EQ(Good(begin + R"(,"ttl_s":null,"deadline":"2023-11-14T23:13:20+01:00"})").deadline,
            base::Timestamp{std::chrono::seconds(1'700'000'000)});
}

TEST(ParseRequest, LeavesOutWhatIsExcluded) {
  EXPECT_EQ(
      Good(
          R"({"targets":{"client_ids":["c","a","b"],"exclude":["b","x"]},"directive":"d","payload":1})")
          .client_ids,
      (std::vector{device::ClientId("a"), device::ClientId("c")}));
}

TEST(ParseRequest, BoundsTheNumberOfTargets) {
  const auto body = [](std::size_t count) {
    json::Value ids = json::Value::array();
    for (std::size_t i = 0; i < count; ++i) ids.push_back("d" + std::to_string(i));
    return json::Write(
        {{"targets", {{"client_ids", ids}}}, {"directive", "d"}, {"payload", nullptr}});
  };
  EXPECT_EQ(Good(body(kMostTargets)).client_ids.size(), kMostTargets);
  EXPECT_TRUE(std::holds_alternative<RequestFault>(ParseRequest(body(kMostTargets + 1))));
}

TEST(ParseRequest, SurvivesDepth) {
  EXPECT_TRUE(std::holds_alternative<RequestFault>(ParseRequest(std::string(100'000, '['))));
}

}  // namespace
}  // namespace heliograph::action
