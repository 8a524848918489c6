#include "auth/sha256.h"

#include <gtest/gtest.h>

namespace heliograph::auth {
namespace {

TEST(Sha256, IsTheStandards) {
  EXPECT_EQ(WriteHex(Sha256("")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(WriteHex(Sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(ParseHex, ReadsBothCasesAndNothingElse) {
  const std::string hex = WriteHex(Sha256("abc"));
  EXPECT_EQ(ParseHex(hex), Sha256("abc"));
  std::string upper = hex;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  EXPECT_EQ(ParseHex(upper), Sha256("abc"));
  EXPECT_EQ(ParseHex(hex.substr(1)), std::nullopt);
  EXPECT_EQ(ParseHex(hex.substr(1) + "g"), std::nullopt);
  EXPECT_EQ(ParseHex(""), std::nullopt);
}

TEST(EqualInConstantTime, Compares) {
  EXPECT_TRUE(EqualInConstantTime(Sha256("a"), Sha256("a")));
  EXPECT_FALSE(EqualInConstantTime(Sha256("a"), Sha256("b")));
}

}  // namespace
}  // namespace heliograph::auth
