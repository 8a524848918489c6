#include "auth/base64url.h"

#include <gtest/gtest.h>

#include "unit/auth/issuer.h"

namespace heliograph::auth {
namespace {

TEST(DecodeBase64Url, ReadsWhatTheStandardWrites) {
  const std::pair<const char*, const char*> cases[] = {
      {"", ""},        {"Zg", "f"},        {"Zm8", "fo"},
      {"Zm9v", "foo"}, {"Zm9vYg", "foob"}, {"-_-_", "\xfb\xff\xbf"},
  };
  for (const auto& [text, bytes] : cases) EXPECT_EQ(DecodeBase64Url(text), bytes) << text;
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  for (std::size_t cut = 0; cut < 3; ++cut) {
    const std::string some = all.substr(cut);
    EXPECT_EQ(DecodeBase64Url(EncodeBase64Url(some)), some);
  }
}

TEST(DecodeBase64Url, RefusesEverythingElse) {
  const std::pair<const char*, const char*> cases[] = {
      {"Zg==", "padding"},          {"Z", "6 bits are no byte"},
      {"Zm9vY", "6 bits too many"}, {"Zh", "bits after the last byte: a second form of Zg"},
      {"Zm9", "as before: of Zm8"}, {"+/+/", "the other alphabet"},
      {"Zm 9v", "a space"},         {"Zm9v\n", "a line end"},
      {"Zm\xc3\xa4", "not ASCII"},
  };
  for (const auto& [text, why] : cases) EXPECT_EQ(DecodeBase64Url(text), std::nullopt) << why;
}

}  // namespace
}  // namespace heliograph::auth
