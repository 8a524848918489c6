#include "action/ids.h"

#include <gtest/gtest.h>

#include "base/uuid.h"

namespace heliograph::action {
namespace {

using std::chrono::milliseconds;

TEST(NewActionId, IsAUuidOfVersion7InTheOrderOfTime) {
  const base::Timestamp now{milliseconds(0x0123456789ab)};
  const ActionId id = NewActionId(now);
  EXPECT_TRUE(base::IsUuid(id.view()));
  EXPECT_EQ(id.str().substr(0, 15), "01234567-89ab-7");
  EXPECT_NE(id, NewActionId(now)) << "the rest is random";
  EXPECT_LT(id, NewActionId(now + milliseconds(1)));
}

TEST(ParseActionId, TakesUuidsInAnyCase) {
  EXPECT_EQ(ParseActionId("01234567-89AB-7def-8123-456789abcdef")->str(),
            "01234567-89ab-7def-8123-456789abcdef");
  for (const char* bad :
       {"", "7", "01234567-89ab-7def-8123-456789abcdeg", "01234567-89ab-7def-8123-456789abcdef0",
        "{1234567-89ab-7def-8123-456789abcde}", "0123456789ab7def8123456789abcdef0000"}) {
    EXPECT_FALSE(ParseActionId(bad)) << bad;
  }
}

TEST(ParseDirective, HasAGrammar) {
  for (const char* good : {"solar.configure", "rhc-worker-playbook", "a", "com.example/x:1_2"}) {
    EXPECT_TRUE(ParseDirective(good)) << good;
  }
  EXPECT_TRUE(ParseDirective(std::string(128, 'a')));
  for (const std::string& bad :
       {std::string(), std::string(129, 'a'), std::string("a b"), std::string("a\n"),
        std::string("\xc3\xa4"), std::string("a\0b", 3), std::string("#")}) {
    EXPECT_FALSE(ParseDirective(bad)) << bad;
  }
}

}  // namespace
}  // namespace heliograph::action
