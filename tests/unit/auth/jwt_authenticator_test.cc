#include "auth/jwt_authenticator.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/startup_error.h"
#include "unit/auth/issuer.h"

namespace heliograph::auth {
namespace {

class ManualClock final : public base::Clock {
 public:
  base::Timestamp Now() const override { return now; }
  base::SteadyTime SteadyNow() const override { return base::SteadyTime{std::chrono::hours(1)}; }
  base::Timestamp now{std::chrono::seconds(1'800'000'000)};
};

const char* const kGood =
    R"({"iss":"https://id.example","aud":"heliograph","exp":1800000100,"sub":"ann","tenant":"acme",)"
    R"("scope":"actions:write"})";
const char* const kRsaHeader = R"({"alg":"RS256","kid":"rsa","typ":"JWT"})";
const char* const kEcHeader = R"({"alg":"ES256","kid":"ec"})";

class JwtAuthenticatorTest : public testing::Test {
 protected:
  JwtAuthenticatorTest() {
    config_.rules.issuer = "https://id.example";
    config_.rules.audience = "heliograph";
    config_.keys.file = testing::TempDir() + "keys-" + std::to_string(::getpid()) + ".json";
    std::ofstream(config_.keys.file)
        << R"({"keys":[)" << RsaKey().Jwk("rsa") << "," << EcKey().Jwk("ec") << "]}";
  }
  ~JwtAuthenticatorTest() override { std::filesystem::remove(config_.keys.file); }

  base::Result<Principal> Authenticate(std::string_view token) {
    if (!keys_) {
      keys_ = std::make_unique<KeyRing>(config_.keys, clock_, health_, metrics_);
      authenticator_ = std::make_unique<JwtAuthenticator>(config_, *keys_, clock_, metrics_);
    }
    return authenticator_->Authenticate(token);
  }
  // "" = it was let in.
  std::string WhyNot(std::string_view token) {
    const auto principal = Authenticate(token);
    if (principal) return "";
    EXPECT_EQ(principal.error().code, base::ErrorCode::kUnauthenticated);
    return principal.error().message;
  }
  bool Counted(const std::string& result, int times) {
    const std::string line =
        "heliograph_auth_jwt_total{result=\"" + result + "\"} " + std::to_string(times) + "\n";
    return metrics_.Exposition().find(line) != std::string::npos;
  }

  JwtConfig config_;
  ManualClock clock_;
  base::Health health_;
  metrics::Registry metrics_;
  std::unique_ptr<KeyRing> keys_;
  std::unique_ptr<JwtAuthenticator> authenticator_;
};

TEST_F(JwtAuthenticatorTest, LetsTheIssuersTokensIn) {
  for (const std::string& token :
       {Sign(RsaKey(), kRsaHeader, kGood), Sign(EcKey(), kEcHeader, kGood),
        Sign(EcKey(), R"({"alg":"ES256","kid":"ec","typ":"at+JWT","x5t":"unknown"})", kGood)}) {
    const auto principal = Authenticate(token);
    ASSERT_TRUE(principal) << principal.error().message;
    EXPECT_EQ(principal->name, "ann");
    EXPECT_EQ(principal->tenant, "acme");
    EXPECT_TRUE(principal->May(Scope::kActionsWrite));
  }
  EXPECT_TRUE(health_.ready());
}

// Each attack differs from a token that is let in by what it is named for, so that no other check
// can be what stops it.
TEST_F(JwtAuthenticatorTest, RefusesForgeries) {
  const SigningKey stranger = SigningKey::P256();
  const std::string none = Unsigned(R"({"alg":"none","kid":"ec"})", kGood);
  const std::string text = Unsigned(kEcHeader, kGood);
  const std::string embedded = R"({"alg":"ES256","kid":"ec","jwk":)" + stranger.Jwk("ec") + "}";
  const std::pair<std::string, const char*> cases[] = {
      {none + ".", "neither RS256 nor ES256"},
      {none + "." + EncodeBase64Url("x"), "neither RS256 nor ES256"},
      {Unsigned(R"({"alg":"None","kid":"ec"})", kGood) + ".", "neither RS256 nor ES256"},
      {text + ".", "signature is wrong"},
      {SignWithSecret(RsaKey().Pem(), R"({"alg":"HS256","kid":"rsa"})", kGood),
       "neither RS256 nor ES256"},
      {SignWithSecret(RsaKey().Pem(), kRsaHeader, kGood), "signature is wrong"},
      {Sign(RsaKey(), R"({"alg":"rs256","kid":"rsa"})", kGood), "neither RS256 nor ES256"},
      {Sign(RsaKey(), R"({"alg":["RS256"],"kid":"rsa"})", kGood), "neither RS256 nor ES256"},
      {Sign(RsaKey(), R"({"kid":"rsa"})", kGood), "neither RS256 nor ES256"},
      {Sign(RsaKey(), R"({"alg":"RS256"})", kGood), "does not name its key"},
      {Sign(RsaKey(), R"({"alg":"RS256","kid":7})", kGood), "does not name its key"},
      {Sign(RsaKey(), R"({"alg":"RS256","kid":""})", kGood), "does not name its key"},
      {Sign(RsaKey(), R"({"alg":"RS256","kid":"other"})", kGood), "key is not known"},
      {Sign(RsaKey(), R"({"alg":"RS256","kid":"ec"})", kGood), "for another algorithm"},
      {Sign(EcKey(), R"({"alg":"ES256","kid":"rsa"})", kGood), "for another algorithm"},
      {Sign(stranger, kEcHeader, kGood), "signature is wrong"},
      {Sign(stranger, embedded, kGood), "signature is wrong"},
      {text + "." + EncodeBase64Url(EcKey().DerSignature(text)), "signature is wrong"},
      {text + "." + EncodeBase64Url(std::string(64, '\0')), "signature is wrong"},
      {Sign(EcKey(), R"({"alg":"ES256","kid":"ec","crit":["exp"]})", kGood), "must be understood"},
      {Sign(EcKey(), R"({"alg":"ES256","kid":"ec","crit":[]})", kGood), "must be understood"},
      {Sign(EcKey(), R"({"alg":"ES256","kid":"ec","typ":"logout+jwt"})", kGood), "another type"},
      {Sign(EcKey(), R"({"alg":"none","alg":"ES256","kid":"ec"})", kGood), "header is not"},
  };
  for (const auto& [token, why] : cases) {
    EXPECT_NE(WhyNot(token).find(why), std::string::npos) << why << ": " << WhyNot(token);
  }
}

TEST_F(JwtAuthenticatorTest, RefusesWhatWasSignedForSomethingElse) {
  const std::string good = kGood;
  const auto with = [&](const std::string& old, const std::string& fresh) {
    std::string claims = good;
    return Sign(EcKey(), kEcHeader, claims.replace(claims.find(old), old.size(), fresh));
  };
  const std::pair<std::string, const char*> cases[] = {
      {with("id.example", "id.other"), "another issuer"},
      {with("heliograph", "payroll"), "another audience"},
      {with("1800000100", "1799999000"), "has expired"},
      {with(R"("sub")", R"("nbf":1800009999,"sub")"), "not valid yet"},
      {with(R"("sub":"ann")", R"("sub":"ann","sub":"bob")"), "claims are not"},
      {with(R"("sub":"ann",)", ""), "'sub' does not name a user"},
      {with("\"acme\"", "null"), "'tenant' does not name a tenant"},
      {Sign(EcKey(), kEcHeader, good + "{}"), "claims are not"},
      {Sign(EcKey(), kEcHeader, "[" + good + "]"), "claims are not"},
      {Sign(EcKey(), kEcHeader, std::string(100, '[')), "claims are not"},
      {Sign(EcKey(), kEcHeader, "{\"iss\":\"\xff\"}"), "claims are not"},
  };
  for (const auto& [token, why] : cases) {
    EXPECT_NE(WhyNot(token).find(why), std::string::npos) << why << ": " << WhyNot(token);
  }
}

TEST_F(JwtAuthenticatorTest, RefusesWhatIsNoToken) {
  const std::string good = Sign(EcKey(), kEcHeader, kGood);
  const std::size_t dot = good.rfind('.');
  for (const std::string& token :
       {std::string(), std::string("."), std::string(".."), std::string("..."), std::string("a.b"),
        good + ".", "." + good, good + ".e30", good + "=", good + "A", good + "\n",
        good.substr(0, dot), good.substr(0, dot) + "+/" + good.substr(dot + 3),
        good.substr(0, good.size() - 1), std::string(1024 * 1024, '.'),
        std::string(1024 * 1024, 'e') + "." + std::string(1024, 'e') + ".e"}) {
    EXPECT_NE(WhyNot(token), "") << token.substr(0, 80);
  }
  std::string changed = good;
  changed[changed.find('.') + 5] ^= 1;
  EXPECT_NE(WhyNot(changed), "");
  EXPECT_EQ(WhyNot(good), "");
}

TEST_F(JwtAuthenticatorTest, TakesOnlyTheAlgorithmsThatAreConfigured) {
  config_.algorithms = {"ES256"};
  EXPECT_EQ(WhyNot(Sign(EcKey(), kEcHeader, kGood)), "");
  EXPECT_EQ(WhyNot(Sign(RsaKey(), kRsaHeader, kGood)), "the token's algorithm is not taken here");
}

TEST_F(JwtAuthenticatorTest, RemembersUntilTheTokenExpires) {
  const std::string token = Sign(EcKey(), kEcHeader, kGood);
  EXPECT_EQ(WhyNot(token), "");
  EXPECT_EQ(WhyNot(token), "");
  EXPECT_TRUE(Counted("verified", 1));
  EXPECT_TRUE(Counted("remembered", 1));
  clock_.now += std::chrono::seconds(159);
  EXPECT_EQ(WhyNot(token), "");
  clock_.now += std::chrono::seconds(1);
  EXPECT_EQ(WhyNot(token), "the token has expired");
}

TEST_F(JwtAuthenticatorTest, RemembersNoRefusal) {
  const std::string early =
      Sign(EcKey(), kEcHeader,
           R"({"iss":"https://id.example","aud":"heliograph","exp":1900000000,"nbf":1800000070,)"
           R"("sub":"ann","tenant":"acme"})");
  EXPECT_EQ(WhyNot(early), "the token is not valid yet");
  clock_.now += std::chrono::seconds(10);
  EXPECT_EQ(WhyNot(early), "");
  EXPECT_TRUE(Counted("refused", 1));
}

TEST_F(JwtAuthenticatorTest, DoesNotStartWithoutKeys) {
  std::ofstream(config_.keys.file) << R"({"keys":[]})";
  EXPECT_THROW(KeyRing(config_.keys, clock_, health_, metrics_), base::StartupError);
  std::filesystem::remove(config_.keys.file);
  EXPECT_THROW(KeyRing(config_.keys, clock_, health_, metrics_), base::StartupError);
}

}  // namespace
}  // namespace heliograph::auth
