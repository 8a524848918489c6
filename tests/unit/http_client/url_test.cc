#include "http_client/url.h"

#include <gtest/gtest.h>

namespace heliograph::http_client {
namespace {

TEST(PercentEncode, LeavesOnlyUnreservedBytes) {
  EXPECT_EQ(PercentEncode("Solar-1._~"), "Solar-1._~");
  EXPECT_EQ(PercentEncode("a b/c?d&e=f%"), "a%20b%2Fc%3Fd%26e%3Df%25");
  EXPECT_EQ(PercentEncode("ü"), "%C3%BC");
  EXPECT_EQ(PercentEncode(std::string_view("\0", 1)), "%00");
}

TEST(IsTrustworthy, IsHttpsOrThisMachine) {
  const std::pair<const char*, bool> cases[] = {
      {"https://id.example/keys", true},       {"http://127.0.0.1:8080/keys", true},
      {"http://localhost/keys?a=b", true},     {"http://[::1]:1/", true},
      {"http://id.example/keys", false},       {"http://localhost.example/keys", false},
      {"http://127.0.0.1.example/", false},    {"http://localhost:1@id.example/", false},
      {"http://localhost@id.example/", false}, {"https://", false},
      {"file:///etc/keys.json", false},        {"", false},
  };
  for (const auto& [url, good] : cases) EXPECT_EQ(IsTrustworthy(url), good) << url;
}

struct BadUrl {
  const char* text;
  const char* why;
};

class BaseUrlRefuses : public testing::TestWithParam<BadUrl> {};

TEST_P(BaseUrlRefuses, It) {
  const auto parsed = BaseUrl::Parse(GetParam().text);
  ASSERT_FALSE(parsed) << GetParam().why;
  EXPECT_EQ(parsed.error().code, base::ErrorCode::kInvalidArgument);
  EXPECT_NE(parsed.error().message.find(GetParam().text), std::string::npos)
      << "the message must show what was given";
}

INSTANTIATE_TEST_SUITE_P(
    All, BaseUrlRefuses,
    testing::Values(BadUrl{"", "nothing"}, BadUrl{"localhost:8080", "no scheme"},
                    BadUrl{"ftp://host", "another scheme"},
                    BadUrl{"file:///etc/passwd", "a local file"}, BadUrl{"http://", "no host"},
                    BadUrl{"http://:80", "no host"}, BadUrl{"http:///v1", "no host"},
                    BadUrl{"http://user:secret@host", "a password in the open"},
                    BadUrl{"http://host?x=1", "a query would end up in the middle"},
                    BadUrl{"http://host/#x", "a fragment"}, BadUrl{"http://ho st", "a space"}));

TEST(BaseUrl, JoinsEncodedLevelsAndQuery) {
  const auto base = BaseUrl::Parse("http://127.0.0.1:18080/");
  ASSERT_TRUE(base);
  EXPECT_EQ(base->str(), "http://127.0.0.1:18080");
  EXPECT_EQ(base->Join({"v1", "connections", "a/../b"}),
            "http://127.0.0.1:18080/v1/connections/a%2F..%2Fb")
      << "an id stays one level";
  EXPECT_EQ(base->Join({"v1", "connections"}, {{"tag", "site:north & south"}, {"limit", "5"}}),
            "http://127.0.0.1:18080/v1/connections?tag=site%3Anorth%20%26%20south&limit=5");
}

TEST(BaseUrl, KeepsAPathBelow) {
  const auto base = BaseUrl::Parse("https://example.org/heliograph/");
  ASSERT_TRUE(base);
  EXPECT_EQ(base->Join({"v1"}), "https://example.org/heliograph/v1");
}

TEST(BaseUrl, ResolvesOnlyPathsOfTheSameServer) {
  const auto base = BaseUrl::Parse("https://example.org/below");
  ASSERT_TRUE(base);
  const auto resolved = base->Resolve("/v1/actions/7");
  ASSERT_TRUE(resolved);
  EXPECT_EQ(*resolved, "https://example.org/v1/actions/7");
  for (const char* elsewhere :
       {"//evil.example/x", "http://evil.example/", "v1/actions/7", "", "/a b"}) {
    EXPECT_FALSE(base->Resolve(elsewhere)) << elsewhere << " would send the token elsewhere";
  }
}

struct ReadUrl {
  const char* text;
  const char* scheme;
  const char* host;
};

TEST(ParseUrl, TellsWhoIsMeant) {
  for (const ReadUrl& each : std::initializer_list<ReadUrl>{
           {"https://example.org/hook?token=x", "https", "example.org"},
           {"HTTPS://Example.org:8443", "https", "Example.org"},
           {"http://127.0.0.1:80/", "http", "127.0.0.1"},
           {"http://2130706433/", "http", "127.0.0.1"},
           {"http://"
            "0x7f.1/",
            "http", "127.0.0.1"},
           {"http://"
            "0177.0.0.1/",
            "http", "127.0.0.1"},
           {"http://[::1]:80/", "http", "::1"},
           {"http://[::ffff:127.0.0.1]/", "http", "::ffff:127.0.0.1"},
       }) {
    const auto parts = ParseUrl(each.text);
    ASSERT_TRUE(parts) << each.text << ": " << parts.error().message;
    EXPECT_EQ(parts->scheme, each.scheme) << each.text;
    EXPECT_EQ(parts->host, each.host) << each.text;
  }
}

TEST(ParseUrl, Refuses) {
  for (const char* text :
       {"", "example.org", "//example.org", "ftp://example.org", "file:///etc/passwd",
        "gopher://example.org", "https://", "https:///x", "https://user@example.org",
        "https://user:secret@example.org", "https://:secret@example.org", "https://example.org/#x",
        "https://example.org/a b", "https://example.org/\r\nX: y", "https://ex\xc3\xa4mple.org",
        "https://[::1", "https://example.org:99999/", "https://example.org:x/"}) {
    const auto parts = ParseUrl(text);
    ASSERT_FALSE(parts) << text << " is " << parts->host;
    EXPECT_EQ(parts.error().code, base::ErrorCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace heliograph::http_client
