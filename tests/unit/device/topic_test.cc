#include "device/topic.h"

#include <gtest/gtest.h>

namespace heliograph::device {
namespace {

TEST(ClientId, HasTheGrammarOfTheProtocol) {
  EXPECT_TRUE(IsClientId("a"));
  EXPECT_TRUE(IsClientId("Az09._:-"));
  EXPECT_TRUE(IsClientId(std::string(128, 'x')));
  EXPECT_FALSE(IsClientId("")) << "empty";
  EXPECT_FALSE(IsClientId(std::string(129, 'x'))) << "too long";
  for (const char* bad : {"@ingest", "a/b", "a+b", "#", "a b", "a\n", "ä", "a\\b", "a'b"}) {
    EXPECT_FALSE(IsClientId(bad)) << bad;
    EXPECT_FALSE(ParseClientId(bad)) << bad;
  }
  EXPECT_FALSE(IsClientId(std::string_view("a\0b", 3))) << "NUL inside";
}

TEST(TopicGrammar, RefusesPrefixesThatCannotBeOne) {
  for (const char* bad : {"", "/a", "a/", "a//b", "+", "a/#", "$SYS", "a b", "1/2/3/4/5/6/7/8/9"}) {
    EXPECT_FALSE(TopicGrammar::Create(bad)) << bad;
  }
  for (const char* good : {"heliograph", "redhat/insights", "1/2/3/4/5/6/7/8"}) {
    EXPECT_TRUE(TopicGrammar::Create(good)) << good;
  }
}

TEST(TopicGrammar, ReadsWhatItWrites) {
  for (const char* prefix : {"heliograph", "redhat/insights"}) {
    const TopicGrammar grammar = *TopicGrammar::Create(prefix);
    for (const Channel channel : {Channel::kControl, Channel::kData}) {
      for (const Direction direction : {Direction::kOut, Direction::kIn}) {
        const std::string topic = grammar.Write("site-7", channel, direction);
        const auto parsed = grammar.Parse(topic);
        ASSERT_TRUE(parsed.topic) << topic;
        EXPECT_EQ(parsed.topic->client_id, "site-7");
        EXPECT_EQ(parsed.topic->channel, channel);
        EXPECT_EQ(parsed.topic->direction, direction);
      }
    }
  }
  EXPECT_EQ(TopicGrammar::Create("a/b")->OutFilter(Channel::kData), "a/b/+/data/out");
}

TEST(TopicGrammar, TellsABadTopicFromABadClientId) {
  const TopicGrammar grammar = *TopicGrammar::Create("heliograph");
  const auto fault = [&](std::string_view topic) {
    const auto parsed = grammar.Parse(topic);
    EXPECT_FALSE(parsed.topic) << topic;
    return parsed.fault;
  };
  for (const char* bad :
       {"", "/", "heliograph", "heliograph/a/control", "heliograph/a/b/control/out",
        "other/a/control/out", "heliograph/a/control/up", "heliograph/a/events/out",
        "heliograph/a/control/out/", "/a/control/out", "heliographx/a/control/out",
        "x/heliograph/a/data/out"}) {
    EXPECT_EQ(fault(bad), TopicFault::kBadTopic) << bad;
  }
  for (const char* bad : {"heliograph//control/out", "heliograph/a b/control/out",
                          "heliograph/@/data/out", "heliograph/@@x/data/out"}) {
    EXPECT_EQ(fault(bad), TopicFault::kBadClientId) << bad;
  }
  EXPECT_TRUE(grammar.Parse("heliograph/@ingest/control/out").topic) << "the canary of ingest";
}

}  // namespace
}  // namespace heliograph::device
