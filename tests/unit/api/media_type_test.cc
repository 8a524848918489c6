#include "api/media_type.h"

#include <gtest/gtest.h>

namespace heliograph::api {
namespace {

bool IsJsonWith(http::Headers headers) {
  http::Request request;
  request.headers = std::move(headers);
  return IsJson(request);
}

TEST(IsJson, TakesJsonHoweverItIsSaid) {
  for (const char* good :
       {"application/json", "Application/JSON", "application/json; charset=utf-8",
        "application/json;charset=\"UTF-8\"", "application/json ; odata=x", "application/json;"}) {
    EXPECT_TRUE(IsJsonWith({{"content-type", good}})) << good;
  }
  EXPECT_TRUE(IsJsonWith({{"content-type", "application/json"}, {"content-encoding", "identity"}}));
}

TEST(IsJson, RefusesTheRest) {
  EXPECT_FALSE(IsJsonWith({}));
  for (const char* bad : {"", "text/json", "application/jsonx", "application/problem+json",
                          "application/json, text/plain", "application/json; charset=latin1",
                          "text/plain; application/json"}) {
    EXPECT_FALSE(IsJsonWith({{"content-type", bad}})) << bad;
  }
  EXPECT_FALSE(IsJsonWith({{"content-type", "application/json"}, {"content-encoding", "gzip"}}));
}

}  // namespace
}  // namespace heliograph::api
