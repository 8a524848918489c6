#include "base/hex.h"

#include <gtest/gtest.h>

#include <string_view>

namespace heliograph::base {
namespace {

using std::string_view_literals::operator""sv;

TEST(ToHexTest, WritesTwoLowerCaseDigitsForEachByte) {
  EXPECT_EQ(ToHex(""), "");
  EXPECT_EQ(ToHex("\x00\x0f\x7f\x80\xff"sv), "000f7f80ff");
}

}  // namespace
}  // namespace heliograph::base
