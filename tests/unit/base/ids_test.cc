#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>
#include <unordered_set>

#include "base/secret.h"
#include "base/strong_string.h"
#include "base/uuid.h"

namespace heliograph::base {
namespace {

TEST(Uuid, IsVersion4AndNew) {
  std::set<std::string> seen;
  for (int i = 0; i < 10000; ++i) {
    const std::string uuid = NewUuid();
    ASSERT_TRUE(IsUuid(uuid)) << uuid;
    ASSERT_EQ(uuid[14], '4') << "the version";
    ASSERT_NE(std::string("89ab").find(uuid[19]), std::string::npos) << "the variant";
    ASSERT_TRUE(seen.insert(uuid).second);
  }
}

TEST(Uuid, IsRecognised) {
  EXPECT_TRUE(IsUuid("6ba7b810-9dad-11d1-80b4-00c04fd430c8")) << "any version";
  EXPECT_TRUE(IsUuid("6BA7B810-9DAD-11D1-80B4-00C04FD430C8"));
  EXPECT_TRUE(IsUuid("00000000-0000-0000-0000-000000000000"));
  for (const std::string& other : {std::string(""), std::string("6ba7b8109dad11d180b400c04fd430c8"),
                                   std::string("6ba7b810-9dad-11d1-80b4-00c04fd430c"),
                                   std::string("6ba7b810-9dad-11d1-80b4-00c04fd430c8a"),
                                   std::string("6ba7b810-9dad-11d1-80b4-00c04fd430cg"),
                                   std::string("{6ba7b810-9dad-11d1-80b4-00c04fd430c8}"),
                                   std::string("6ba7b810+9dad-11d1-80b4-00c04fd430c8"),
                                   std::string("-ba7b810-9dad-11d1-80b4-00c04fd430c8"),
                                   std::string(36, '-'), std::string(36, '\0')}) {
    EXPECT_FALSE(IsUuid(other)) << other;
  }
}

TEST(Secret, IsNotShown) {
  const Secret secret("hunter2");
  std::ostringstream out;
  out << secret;
  EXPECT_EQ(out.str(), "***");
  EXPECT_EQ(secret.Reveal(), "hunter2");
  EXPECT_FALSE(secret.empty());
  EXPECT_TRUE(Secret().empty());
}

TEST(StrongString, IsComparedHashedAndShownAsItsText) {
  using Name = StrongString<struct NameTag>;
  const Name a("a");
  const Name b("b");
  EXPECT_LT(a, b);
  EXPECT_EQ(a, Name(std::string("a")));
  EXPECT_TRUE(Name().empty());
  std::unordered_set<Name> names{a, b, a};
  EXPECT_EQ(names.size(), 2U);
  std::ostringstream out;
  out << a;
  EXPECT_EQ(out.str(), "a");
  static_assert(!std::is_convertible_v<std::string, Name>,
                "one kind of id is not passed for another");
  static_assert(!std::is_convertible_v<Name, StrongString<struct OtherTag>>);
}

}  // namespace
}  // namespace heliograph::base
