#include "ctl/connections.h"

#include <gtest/gtest.h>

#include "ctl/fields.h"

namespace heliograph::ctl {
namespace {

TEST(ConnectionFilter, SendsOnlyWhatWasGiven) {
  EXPECT_EQ(ConnectionFilter{}.ToQuery(), http_client::Query{});
  ConnectionFilter filter;
  filter.state = "online";
  filter.client_id_prefix = "solar-";
  filter.tags = {"site:north", "kind:a:b"};
  EXPECT_EQ(filter.ToQuery(), (http_client::Query{{"state", "online"},
                                                  {"client_id_prefix", "solar-"},
                                                  {"tag", "site:north"},
                                                  {"tag", "kind:a:b"}}));
}

TEST(Field, AnswersOfAnyShapeAreShown) {
  const json::Value object = {{"text", "a"}, {"none", nullptr}, {"number", 7}, {"list", {1, 2}}};
  EXPECT_EQ(Field(object, "text"), "a");
  EXPECT_EQ(Field(object, "none"), "-");
  EXPECT_EQ(Field(object, "missing"), "-");
  EXPECT_EQ(Field(object, "number"), "7");
  EXPECT_EQ(Field(object, "list"), "[1,2]");
  EXPECT_EQ(Field(json::Value("not an object"), "text"), "-");
  EXPECT_EQ(ListField(object, "list"), json::Value({1, 2}));
  EXPECT_TRUE(ListField(object, "text").empty());
  EXPECT_TRUE(ListField(json::Value(), "list").empty());
}

TEST(TimeField, LosesItsFraction) {
  EXPECT_EQ(TimeField({{"t", "2026-11-21T02:29:54.123456Z"}}, "t"), "2026-11-21T02:29:54Z");
  EXPECT_EQ(TimeField({{"t", "2026-11-21T02:29:54Z"}}, "t"), "2026-11-21T02:29:54Z");
  EXPECT_EQ(TimeField({{"t", "2026-11-21T02:29:54."}}, "t"), "2026-11-21T02:29:54");
  EXPECT_EQ(TimeField({{"t", nullptr}}, "t"), "-");
}

}  // namespace
}  // namespace heliograph::ctl
