#include "auth/key_set.h"

#include <gtest/gtest.h>

#include "unit/auth/issuer.h"

namespace heliograph::auth {
namespace {

std::string SetOf(const std::string& keys) { return R"({"keys":[)" + keys + "]}"; }

std::string Replaced(std::string text, std::string_view old, std::string_view fresh) {
  const std::size_t at = text.find(old);
  EXPECT_NE(at, text.npos) << old;
  return text.replace(at, old.size(), fresh);
}

TEST(KeySet, FindsAKeyByIdAndAlgorithm) {
  const auto set = KeySet::Parse(SetOf(RsaKey().Jwk("one", R"(,"use":"sig","alg":"RS256")") + "," +
                                       EcKey().Jwk("two", R"(,"key_ops":["verify"])")));
  ASSERT_TRUE(set) << set.error().message;
  ASSERT_EQ(set->size(), 2U);
  const PublicKey* rsa = set->Find("one", Algorithm::kRs256);
  const PublicKey* curve = set->Find("two", Algorithm::kEs256);
  ASSERT_NE(rsa, nullptr);
  ASSERT_NE(curve, nullptr);
  EXPECT_TRUE(rsa->Verifies("text", RsaKey().Signature("text")));
  EXPECT_TRUE(curve->Verifies("text", EcKey().Signature("text")));
  EXPECT_EQ(set->Find("one", Algorithm::kEs256), nullptr) << "a key is for one algorithm";
  EXPECT_EQ(set->Find("three", Algorithm::kRs256), nullptr);
  EXPECT_TRUE(set->Has("one"));
  EXPECT_FALSE(set->Has("three"));
}

TEST(KeySet, PassesOverWhatCannotBeUsed) {
  const std::string rsa = RsaKey().Jwk("x");
  const std::string curve = EcKey().Jwk("x");
  const std::pair<std::string, const char*> cases[] = {
      {SigningKey::Rsa(1024).Jwk("x"), "RSA of less than 2048 bits"},
      {SigningKey::P384().Jwk("x"), "another curve"},
      {R"({"kty":"oct","k":"c2VjcmV0","kid":"x"})", "a shared secret"},
      {RsaKey().Jwk("x", R"(,"d":"AQAB")"), "a private key"},
      {RsaKey().Jwk("x", R"(,"use":"enc")"), "for encryption"},
      {RsaKey().Jwk("x", R"(,"key_ops":["wrapKey"])"), "for wrapping"},
      {RsaKey().Jwk("x", R"(,"alg":"PS256")"), "for another algorithm"},
      {EcKey().Jwk("x", R"(,"alg":"RS256")"), "for an algorithm of another kind of key"},
      {RsaKey().Jwk(""), "without an id"},
      {Replaced(rsa, "AQAB", "AQ"), "an exponent of 1: every text is its own signature"},
      {Replaced(rsa, "AQAB", "Ag"), "an even exponent"},
      {Replaced(rsa, "AQAB", "AQAB="), "padding"},
      {Replaced(rsa, R"("e":"AQAB",)", ""), "without an exponent"},
      {Replaced(curve, R"("y":")", R"("y":"AA)"), "a coordinate that is too long"},
      {Replaced(curve, R"("x":")", R"("y2":")"), "without a coordinate"},
      {R"({"kty":"EC","crv":"P-256","kid":"x","x":")" + EncodeBase64Url(std::string(32, '\1')) +
           R"(","y":")" + EncodeBase64Url(std::string(32, '\1')) + "\"}",
       "a point that is not on the curve"},
      {R"({"kty":"OKP","crv":"Ed25519","x":"AA","kid":"x"})", "another kind of key"},
      {"7", "not an object"},
  };
  for (const auto& [key, why] : cases) {
    const auto set = KeySet::Parse(SetOf(key + "," + EcKey().Jwk("good")));
    ASSERT_TRUE(set) << why;
    EXPECT_EQ(set->size(), 1U) << why;
    EXPECT_EQ(set->passed_over().size(), 1U) << why;
    EXPECT_FALSE(KeySet::Parse(SetOf(key))) << why << ", and nothing else";
  }
}

TEST(KeySet, RefusesWhatIsNone) {
  const std::string many = [] {
    std::string keys = EcKey().Jwk("0");
    for (int i = 0; i < 100; ++i) keys += "," + EcKey().Jwk("0");
    return SetOf(keys);
  }();
  for (const std::string& text :
       {std::string(), std::string("<html>"), std::string("[]"), std::string("{}"),
        std::string(R"({"keys":{}})"), SetOf(""), many,
        std::string(R"({"keys":[],"keys":[)") + EcKey().Jwk("x") + "]}"}) {
    EXPECT_FALSE(KeySet::Parse(text)) << text.substr(0, 80);
  }
}

TEST(PublicKey, VerifiesOnlyTheSignatureOfThatText) {
  for (const SigningKey* signer : {&RsaKey(), &EcKey()}) {
    const auto set = KeySet::Parse(SetOf(signer->Jwk("x")));
    ASSERT_TRUE(set);
    const PublicKey* key = set->Find("x", Algorithm::kRs256);
    if (key == nullptr) key = set->Find("x", Algorithm::kEs256);
    ASSERT_NE(key, nullptr);
    const std::string signature = signer->Signature("text");
    EXPECT_TRUE(key->Verifies("text", signature));
    EXPECT_FALSE(key->Verifies("texu", signature));
    EXPECT_FALSE(key->Verifies("text", signature + '\0'));
    EXPECT_FALSE(key->Verifies("text", signature.substr(1)));
    EXPECT_FALSE(key->Verifies("text", ""));
    EXPECT_FALSE(key->Verifies("text", std::string(signature.size(), '\0'))) << "r = s = 0";
    for (std::size_t at = 0; at < signature.size(); at += 7) {
      std::string wrong = signature;
      wrong[at] = static_cast<char>(wrong[at] ^ 1);
      EXPECT_FALSE(key->Verifies("text", wrong)) << at;
    }
  }
}

TEST(PublicKey, TakesNoDer) {
  const auto set = KeySet::Parse(SetOf(EcKey().Jwk("x")));
  ASSERT_TRUE(set);
  EXPECT_FALSE(set->Find("x", Algorithm::kEs256)->Verifies("text", EcKey().DerSignature("text")));
}

}  // namespace
}  // namespace heliograph::auth
