// What receivers verify.
#include "webhooks/secret.h"

#include <gtest/gtest.h>

namespace heliograph::webhooks {
namespace {

// The example of the Standard Webhooks libraries: whoever verifies with one of those, verifies
// this.
TEST(Sign, AsTheStandardsLibrariesDo) {
  const base::Secret secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  const base::Timestamp at{std::chrono::seconds(1614265330)};
  const Signature signature =
      Sign(secret, base::Secret(), "msg_p5jXN8AQM9LWM0D4loKWxJek", at, R"({"test": 2432232314})");
  EXPECT_EQ(signature.id, "msg_p5jXN8AQM9LWM0D4loKWxJek");
  EXPECT_EQ(signature.timestamp, "1614265330");
  EXPECT_EQ(signature.value, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(Sign, BothSecretsWhileOneFollowsTheOther) {
  const base::Secret one(*MakeSecret());
  const base::Secret other(*MakeSecret());
  const base::Timestamp at{std::chrono::seconds(7)};
  const std::string both = Sign(one, other, "m", at, "body").value;
  EXPECT_EQ(both, Sign(one, base::Secret(), "m", at, "body").value + ' ' +
                      Sign(other, base::Secret(), "m", at, "body").value);
}

TEST(Sign, EverythingCounts) {
  const base::Secret secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  const base::Timestamp at{std::chrono::seconds(7)};
  const std::string value = Sign(secret, base::Secret(), "m", at, "body").value;
  EXPECT_NE(value, Sign(secret, base::Secret(), "n", at, "body").value);
  EXPECT_NE(value, Sign(secret, base::Secret(), "m", at, "Body").value);
  EXPECT_NE(value, Sign(secret, base::Secret(), "m", at + std::chrono::seconds(1), "body").value);
  EXPECT_NE(value, Sign(*MakeSecret(), base::Secret(), "m", at, "body").value);
}

TEST(Secret, WhatIsMadeIsOne) {
  const auto one = MakeSecret();
  const auto other = MakeSecret();
  ASSERT_TRUE(one && other);
  EXPECT_TRUE(IsSecret(one->Reveal()));
  EXPECT_NE(one->Reveal(), other->Reveal());
}

TEST(Secret, WhatIsNone) {
  const std::string good = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  EXPECT_TRUE(IsSecret("whsec_" + good));
  for (const std::string& text : std::initializer_list<std::string>{
           std::string(), std::string("whsec_"), good, "WHSEC_" + good, "whsec_" + good + "=",
           "whsec_" + good + "\n", "whsec_ " + good, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
           std::string("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa=="),      // 22 bytes
           "whsec_" + std::string(88, 'A'),                            // 66 bytes
           std::string("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaL-_w"),      // the alphabet of URLs
           std::string("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwAB=="),  // bits after the last byte
       }) {
    EXPECT_FALSE(IsSecret(text)) << text;
  }
  EXPECT_TRUE(IsSecret("whsec_" + std::string(86, 'A') + "==")) << "64 bytes";
}

}  // namespace
}  // namespace heliograph::webhooks
