#include "auth/token_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "base/startup_error.h"

namespace heliograph::auth {
namespace {

class ManualClock final : public base::Clock {
 public:
  base::Timestamp Now() const override { return {}; }
  base::SteadyTime SteadyNow() const override { return now; }
  base::SteadyTime now{std::chrono::hours(1)};
};

class TokenFileTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "tokens-" + std::to_string(::getpid()) + ".yaml";
    Write(Tokens("one"));
  }
  void TearDown() override { std::remove(path_.c_str()); }

  static std::string Tokens(std::string_view token) {
    return "tokens:\n  - {name: a, sha256: " + WriteHex(Sha256(token)) +
           ", operator: true, scopes: [connections:read]}\n";
  }
  // As an editor does it: another file under the same name.
  void Write(const std::string& content, unsigned mode = 0600) {
    const std::string fresh = path_ + ".new";
    std::ofstream(fresh) << content;
    std::filesystem::permissions(fresh, static_cast<std::filesystem::perms>(mode));
    std::filesystem::rename(fresh, path_);
  }

  std::string path_;
  ManualClock clock_;
  metrics::Registry metrics_;
};

TEST_F(TokenFileTest, KnowsItsTokens) {
  TokenFile file({path_}, clock_, metrics_);
  EXPECT_EQ(file.size(), 1U);
  EXPECT_EQ(file.Authenticate("one")->name, "a");
  const auto refused = file.Authenticate("two");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, base::ErrorCode::kUnauthenticated);
}

TEST_F(TokenFileTest, DoesNotStartWithABadFile) {
  EXPECT_THROW(TokenFile({path_ + ".missing"}, clock_, metrics_), base::StartupError);
  EXPECT_THROW(TokenFile({testing::TempDir()}, clock_, metrics_), base::StartupError);
  Write("tokens: [");
  EXPECT_THROW(TokenFile({path_}, clock_, metrics_), base::StartupError);
  for (const unsigned mode : {0640U, 0604U, 0620U, 0601U}) {
    Write(Tokens("one"), mode);
    EXPECT_THROW(TokenFile({path_}, clock_, metrics_), base::StartupError) << mode;
  }
}

TEST_F(TokenFileTest, IsReadAgainWhenItChanges) {
  TokenFile file({path_}, clock_, metrics_);
  ASSERT_TRUE(file.Authenticate("one"));
  Write(Tokens("two"));
  EXPECT_TRUE(file.Authenticate("one")) << "it is looked at once a second";
  clock_.now += std::chrono::seconds(2);
  EXPECT_FALSE(file.Authenticate("one")) << "revoked";
  EXPECT_TRUE(file.Authenticate("two"));
}

TEST_F(TokenFileTest, KeepsTheLastGoodOneWhileItIsBad) {
  TokenFile file({path_}, clock_, metrics_);
  ASSERT_TRUE(file.Authenticate("one"));
  const auto is_good = [&] {
    return metrics_.Exposition().find("\nheliograph_auth_tokens_file_good 1\n") !=
           std::string::npos;
  };
  Write("tokens: 7");
  clock_.now += std::chrono::seconds(2);
  EXPECT_TRUE(file.Authenticate("one"));
  EXPECT_FALSE(is_good());
  std::remove(path_.c_str());
  clock_.now += std::chrono::seconds(2);
  EXPECT_TRUE(file.Authenticate("one"));
  Write(Tokens("two"));
  clock_.now += std::chrono::seconds(2);
  EXPECT_TRUE(file.Authenticate("two"));
  EXPECT_TRUE(is_good());
}

}  // namespace
}  // namespace heliograph::auth
