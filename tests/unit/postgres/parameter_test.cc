#include "postgres/parameter.h"

#include <gtest/gtest.h>

namespace heliograph::postgres {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

TEST(Parameter, WritesWhatPostgresReads) {
  EXPECT_STREQ(Parameter(42).data(), "42");
  EXPECT_STREQ(Parameter(std::int64_t{-7}).data(), "-7");
  EXPECT_STREQ(Parameter(true).data(), "t");
  EXPECT_STREQ(Parameter("text").data(), "text");
  EXPECT_STREQ(Parameter("a longer text"sv.substr(2, 6)).data(), "longer")
      << "a view need not end in NUL";
  EXPECT_STREQ(Parameter(base::Timestamp{}).data(), "1970-01-01T00:00:00.000000Z");
  EXPECT_STREQ(Parameter(base::StrongString<struct TestTag>("id")).data(), "id");
}

TEST(Parameter, NothingIsNull) {
  EXPECT_EQ(Parameter(std::nullopt).data(), nullptr);
  EXPECT_EQ(Parameter(std::optional<std::string>()).data(), nullptr);
  const std::optional<std::string> some = "x";
  EXPECT_STREQ(Parameter(some).data(), "x");
}

TEST(Parameter, NulIsRefusedInsteadOfCut) {
  const std::string text = "a\0b"s;
  EXPECT_FALSE(Parameter(text).valid());
  EXPECT_FALSE(Parameter(std::string_view(text)).valid());
  EXPECT_TRUE(Parameter("ab").valid());
}

TEST(Parameter, ArraysAreBinary) {
  Int32Array numbers;
  numbers.Add(1);
  const Parameter parameter(numbers);
  EXPECT_TRUE(parameter.binary());
  EXPECT_EQ(parameter.length(), static_cast<int>(numbers.Binary().size()));
}

}  // namespace
}  // namespace heliograph::postgres
