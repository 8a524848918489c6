#include "api/parameters.h"

#include <gtest/gtest.h>

#include "json/json.h"

namespace heliograph::api {
namespace {

using Query = std::vector<std::pair<std::string, std::string>>;

http::Request RequestWith(Query query) {
  http::Request request;
  request.method = "GET";
  request.path = "/v1/connections";
  request.query = std::move(query);
  return request;
}

// What `read` leaves behind; "" = no fault.
template <class Read>
std::string FaultOf(Query query, Read read) {
  const http::Request request = RequestWith(std::move(query));
  Parameters parameters(request, {"limit", "state", "time", "tenant", "prefix", "text"}, {"tag"});
  read(parameters);
  if (!parameters.fault()) return "";
  EXPECT_EQ(parameters.fault()->status, 400);
  const auto body = json::Parse(parameters.fault()->body);
  EXPECT_EQ((*body)["type"], "/problems/invalid-parameter");
  return (*body)["detail"];
}

void ReadAll(Parameters& parameters) {
  parameters.Limit();
  parameters.State("state");
  parameters.Time("time");
  parameters.Tenant("tenant");
  parameters.ClientIdPrefix("prefix");
  parameters.Text("text");
  parameters.Tags("tag");
}

TEST(Parameters, HaveDefaults) {
  const http::Request request = RequestWith({});
  Parameters parameters(request, {"limit"});
  EXPECT_EQ(parameters.Limit(), 100);
  EXPECT_EQ(parameters.State("state"), std::nullopt);
  EXPECT_EQ(parameters.ClientIdPrefix("prefix"), "");
  EXPECT_TRUE(parameters.Tags("tag").empty());
  EXPECT_FALSE(parameters.fault());
}

TEST(Parameters, ReadTheirTypes) {
  const http::Request request = RequestWith({{"limit", "1000"},
                                             {"state", "offline"},
                                             {"time", "2026-11-21T02:29:54Z"},
                                             {"tenant", "acme"},
                                             {"tag", "site:north:1"},
                                             {"tag", "empty:"}});
  Parameters parameters(request, {"limit", "state", "time", "tenant"}, {"tag"});
  EXPECT_EQ(parameters.Limit(), 1000);
  EXPECT_EQ(parameters.State("state"), device::ConnectionState::kOffline);
  EXPECT_EQ(parameters.Time("time")->time_since_epoch(), std::chrono::seconds(1'795'228'194));
  EXPECT_EQ(parameters.Tenant("tenant"), device::TenantId("acme"));
  const std::vector<std::pair<std::string, std::string>> tags{{"site", "north:1"}, {"empty", ""}};
  EXPECT_EQ(parameters.Tags("tag"), tags) << "split at the first colon";
  EXPECT_FALSE(parameters.fault());
}

TEST(Parameters, SayWhichOneIsWrong) {
  const struct {
    Query query;
    const char* name;
  } cases[] = {
      {{{"limt", "1"}}, "'limt'"},         {{{"limit", "1"}, {"limit", "1"}}, "'limit'"},
      {{{"limit", "0"}}, "'limit'"},       {{{"limit", "1001"}}, "'limit'"},
      {{{"limit", "-1"}}, "'limit'"},      {{{"limit", "1.0"}}, "'limit'"},
      {{{"limit", ""}}, "'limit'"},        {{{"limit", "99999999999999999999"}}, "'limit'"},
      {{{"state", "Online"}}, "'state'"},  {{{"state", ""}}, "'state'"},
      {{{"time", "yesterday"}}, "'time'"}, {{{"time", "2026-11-21"}}, "'time'"},
      {{{"tenant", ""}}, "'tenant'"},      {{{"tenant", "a b"}}, "'tenant'"},
      {{{"prefix", "a%"}}, "'prefix'"},    {{{"prefix", ""}}, "'prefix'"},
      {{{"text", ""}}, "'text'"},          {{{"text", std::string(257, 'x')}}, "'text'"},
      {{{"tag", "site"}}, "'tag'"},        {{{"tag", ":north"}}, "'tag'"},
      {Query(9, {"tag", "a:b"}), "'tag'"},
  };
  for (const auto& row : cases) {
    const std::string detail = FaultOf(row.query, ReadAll);
    EXPECT_NE(detail.find(row.name), std::string::npos)
        << row.query.front().first << "=" << row.query.front().second << " -> " << detail;
  }
  EXPECT_EQ(FaultOf({{"limit", "1"}, {"tag", "a:b"}, {"tag", "a:c"}}, ReadAll), "");
}

TEST(Parameters, TellTheFirstFault) {
  EXPECT_NE(FaultOf({{"limit", "0"}, {"state", "no"}}, ReadAll).find("'limit'"), std::string::npos);
}

}  // namespace
}  // namespace heliograph::api
