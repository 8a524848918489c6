#include "http/target.h"

#include <gtest/gtest.h>

#include <string>

namespace heliograph::http {
namespace {

using Query = std::vector<std::pair<std::string, std::string>>;

TEST(ParseTarget, TakesApartWhatIsWellFormed) {
  struct Row {
    const char* target;
    const char* raw_path;
    const char* path;
    Query query;
    const char* reason;
  };
  const Row table[] = {
      {"/", "/", "/", {}, "the root"},
      {"/a/b?c=d&e=f", "/a/b", "/a/b", {{"c", "d"}, {"e", "f"}}, "in order"},
      {"/a%2Fb%20c", "/a%2Fb%20c", "/a/b c", {}, "the raw path keeps what separates"},
      {"/a?", "/a", "/a", {}, "an empty query"},
      {"/a?&&b&c=&=d", "/a", "/a", {{"b", ""}, {"c", ""}, {"", "d"}}, "empty pairs are nothing"},
      {"/a?b=c=d", "/a", "/a", {{"b", "c=d"}}, "split at the first ="},
      {"/a?b+c=d+e%2B", "/a", "/a", {{"b c", "d e+"}}, "plus is a space in a query"},
      {"/a?tag=site:north%3Aeast", "/a", "/a", {{"tag", "site:north:east"}}, "colons stay"},
      {"/a?b=1&b=2", "/a", "/a", {{"b", "1"}, {"b", "2"}}, "twice is twice"},
      {"/a?b=/c?d", "/a", "/a", {{"b", "/c?d"}}, "the first question mark counts"},
      {"//a//b", "//a//b", "//a//b", {}, "nothing is made simpler"},
      {"/../a/./b", "/../a/./b", "/../a/./b", {}, "dots mean nothing here"},
      {"http://h", "/", "/", {}, "absolute-form without a path"},
      {"http://h?a=b", "/", "/", {{"a", "b"}}, "absolute-form with a query only"},
      {"HTTPS://h:1/x", "/x", "/x", {}, "a scheme in any letters"},
      {"/%F0%9F%8C%9E", "/%F0%9F%8C%9E", "/\xf0\x9f\x8c\x9e", {}, "four bytes of UTF-8"},
  };
  for (const Row& row : table) {
    SCOPED_TRACE(std::string(row.target) + ": " + row.reason);
    const auto parsed = ParseTarget("GET", row.target);
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->raw_path, row.raw_path);
    EXPECT_EQ(parsed->path, row.path);
    EXPECT_EQ(parsed->query, row.query);
  }
}

TEST(ParseTarget, RefusesTheRest) {
  for (const std::string& target : {std::string(""),           std::string("a"),
                                    std::string("*"),          std::string("?a"),
                                    std::string("http://"),    std::string("http:///a"),
                                    std::string("http:/a"),    std::string("ftp://h/a"),
                                    std::string("/ a"),        std::string("/a\t"),
                                    std::string("/a#b"),       std::string("/\xff"),
                                    std::string("/%"),         std::string("/%1"),
                                    std::string("/%1g"),       std::string("/%00"),
                                    std::string("/%80"),       std::string("/%C0%80"),
                                    std::string("/%E0%80%80"), std::string("/%F4%90%80%80"),
                                    std::string("/%ED%BF%BF"), std::string("/a?%"),
                                    std::string("/a?b=%00"),   std::string("/a?%FE=1"),
                                    std::string("/a\0b", 4)}) {
    EXPECT_FALSE(ParseTarget("GET", target).has_value()) << target;
  }
}

TEST(ParseTarget, TheAsteriskIsForOptions) {
  const auto parsed = ParseTarget("OPTIONS", "*");
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->path, "*");
}

}  // namespace
}  // namespace heliograph::http
