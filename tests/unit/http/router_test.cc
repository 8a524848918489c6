#include "http/router.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace heliograph::http {
namespace {

// Answers with its name and the parameters it got.
Router::RouteHandler Echo(const std::string& name) {
  return [name](const Request& request) {
    Response response;
    response.body = name;
    for (const auto& [key, value] : request.path_parameters)
      response.body += " " + key + "=" + value;
    return response;
  };
}

class Routing : public ::testing::Test {
 protected:
  Routing() {
    router_.Add("GET", "/", Echo("root"));
    router_.Add("GET", "/v1/connections", Echo("list"));
    router_.Add("GET", "/v1/connections/{client_id}", Echo("show"));
    router_.Add("GET", "/v1/connections/{client_id}/intervals", Echo("intervals"));
    router_.Add("GET", "/v1/connections/all/summary", Echo("summary"));
    router_.Add("GET", "/v1/actions/{id}", Echo("action"));
    router_.Add("DELETE", "/v1/actions/{id}", Echo("delete"));
    router_.Add("POST", "/v1/actions", Echo("post"));
    router_.Add("GET", "/v1/{a}/{b}/{c}/d", Echo("deep"));
  }

  Response Route(const std::string& method, const std::string& raw_path) const {
    Request request;
    request.method = method;
    request.path = raw_path;
    request.raw_path = raw_path;
    return router_.Route(std::move(request));
  }

  Router router_;
};

TEST_F(Routing, FindsTheTemplate) {
  struct Row {
    const char* path;
    const char* body;
    const char* path_template;
  };
  const Row table[] = {
      {"/", "root", "/"},
      {"/v1/connections", "list", "/v1/connections"},
      {"/v1/connections/d-1", "show client_id=d-1", "/v1/connections/{client_id}"},
      {"/v1/connections/a%2Fb", "show client_id=a/b", "/v1/connections/{client_id}"},
      {"/v1/connections/all", "show client_id=all", "/v1/connections/{client_id}"},
      {"/v1/connections/all/summary", "summary", "/v1/connections/all/summary"},
      {"/v1/connections/all/intervals", "intervals client_id=all",
       "/v1/connections/{client_id}/intervals"},
      {"/v1/connections/x/y/d", "deep a=connections b=x c=y", "/v1/{a}/{b}/{c}/d"},
  };
  for (const Row& row : table) {
    SCOPED_TRACE(row.path);
    const Response response = Route("GET", row.path);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, row.body);
    EXPECT_EQ(response.matched_template, row.path_template);
  }
}

TEST_F(Routing, UnknownPathsAre404) {
  for (const char* path :
       {"/v1", "/v1/", "/v1/connections/", "/v1/connections//intervals", "/v1/connections/a/b",
        "//", "/nope", "/V1/connections", "/v1/connections/%zz", "*", ""}) {
    const Response response = Route("GET", path);
    EXPECT_EQ(response.status, 404) << path;
    EXPECT_EQ(response.content_type, "application/problem+json");
    EXPECT_EQ(response.matched_template, "");
  }
}

TEST_F(Routing, OtherMethodsAre405WithAllow) {
  const Response response = Route("PUT", "/v1/actions/7");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.headers, (Headers{{"allow", "DELETE, GET, HEAD, OPTIONS"}}));
  EXPECT_EQ(response.matched_template, "/v1/actions/{id}");
  EXPECT_EQ(Route("GET", "/v1/actions").status, 405);
}

TEST_F(Routing, OptionsTellsWhatIsAllowed) {
  const Response response = Route("OPTIONS", "/v1/actions");
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(response.headers, (Headers{{"allow", "POST, OPTIONS"}}));
  EXPECT_EQ(Route("OPTIONS", "*").status, 204);
  EXPECT_EQ(Route("OPTIONS", "/nope").status, 404);
}

TEST_F(Routing, ARequestWithoutRawPathIsSplitAtItsPath) {
  Request request;
  request.method = "GET";
  request.path = "/v1/actions/7";
  EXPECT_EQ(router_.MatchedTemplate(request), "/v1/actions/{id}");
  EXPECT_EQ(router_.Route(request).body, "action id=7");
}

TEST_F(Routing, AHandlerThatThrowsIs500AndKeepsItsTemplate) {
  router_.Add("GET", "/throws/{x}", [](const Request&) -> Response { throw 7; });
  const Response response = Route("GET", "/throws/1");
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.matched_template, "/throws/{x}");
}

TEST_F(Routing, MistakesInTemplatesAreToldAtTheStart) {
  EXPECT_THROW(router_.Add("GET", "/v1/connections", Echo("again")), std::logic_error);
  EXPECT_THROW(router_.Add("GET", "/v1/connections/{id}", Echo("other name")), std::logic_error);
  EXPECT_THROW(router_.Add("GET", "no-slash", Echo("x")), std::logic_error);
}

}  // namespace
}  // namespace heliograph::http
