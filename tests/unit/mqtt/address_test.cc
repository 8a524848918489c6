#include "mqtt/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heliograph::mqtt {
namespace {

TEST(ParseHostPort, TakesNamesAndAddresses) {
  struct Case {
    const char* text;
    const char* host;
    std::uint16_t port;
  };
  const Case cases[] = {{"broker.example.org:8883", "broker.example.org", 8883},
                        {"127.0.0.1:1", "127.0.0.1", 1},
                        {"[::1]:65535", "::1", 65535}};
  for (const Case& one : cases) {
    const auto parsed = ParseHostPort(one.text);
    ASSERT_TRUE(parsed) << one.text;
    EXPECT_EQ(parsed->host, one.host);
    EXPECT_EQ(parsed->port, one.port);
  }
}

TEST(ParseHostPort, RefusesWhatIsNeither) {
  const char* const cases[] = {"",       "broker", "broker:",      ":8883",  "broker:0",
                               "::1:80", "a:-1",   "broker:65536", "b:80x",  "tls://b:8883",
                               "[]:80",  "a b:80", "broker: 80",   "b:8883 "};
  for (const char* text : cases) {
    const auto parsed = ParseHostPort(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error().message, testing::HasSubstr(text));
  }
}

TEST(ResolveHost, AnAddressIsItself) {
  for (const char* address : {"127.0.0.1", "::1"}) {
    const auto found = ResolveHost(address, std::chrono::milliseconds(1));
    ASSERT_TRUE(found) << address;
    EXPECT_THAT(*found, testing::ElementsAre(address));
  }
}

}  // namespace
}  // namespace heliograph::mqtt
