#include "owner/rules_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/startup_error.h"

namespace heliograph::owner {
namespace {

using device::ClientId;
using device::TenantId;

class RulesFileTest : public testing::Test {
 protected:
  RulesFileTest() { Write("rules:\n  - {client_id: a, tenant: one}\n"); }
  ~RulesFileTest() override { std::filesystem::remove(path_); }

  // As editors and ./dev cert do: a new file takes the place of the old one.
  void Write(const std::string& yaml) {
    std::ofstream(path_ + ".new") << yaml;
    std::filesystem::rename(path_ + ".new", path_);
  }
  Owner OwnerOf(RulesFile& file, const char* client_id) {
    const ClientId id(client_id);
    return file.Resolve(std::span(&id, 1), Urgency::kConnecting).front().owner;
  }

  const std::string path_ = testing::TempDir() + "/heliograph-owners-" +
                            testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(RulesFileTest, AChangeIsSeenAtTheNextRefresh) {
  RulesFile file({path_});
  const std::string before = file.Revision();
  EXPECT_EQ(OwnerOf(file, "a"), TenantId("one"));
  Write("rules:\n  - {client_id: a, tenant: two}\n");
  EXPECT_EQ(OwnerOf(file, "a"), TenantId("one"));
  file.Refresh();
  EXPECT_EQ(OwnerOf(file, "a"), TenantId("two"));
  EXPECT_NE(file.Revision(), before);
}

TEST_F(RulesFileTest, ARuleForAnUnknownDeviceIsSeenAtOnce) {
  RulesFile file({path_});
  EXPECT_EQ(OwnerOf(file, "b"), std::nullopt);
  Write("rules:\n  - {client_id: a, tenant: one}\n  - {client_id: b, tenant: two}\n");
  EXPECT_EQ(OwnerOf(file, "b"), TenantId("two"));
}

TEST_F(RulesFileTest, TheSameContentIsTheSameRevision) {
  RulesFile file({path_});
  RulesFile other({path_});
  EXPECT_EQ(file.Revision(), other.Revision());
  Write("rules:\n  - {client_id: a, tenant: one}\n");
  file.Refresh();
  EXPECT_EQ(file.Revision(), other.Revision());
}

TEST_F(RulesFileTest, ABadFileKeepsTheOldRulesAndSaysSo) {
  RulesFile file({path_});
  const std::string before = file.Revision();
  Write("rules: [");
  file.Refresh();
  EXPECT_EQ(OwnerOf(file, "a"), TenantId("one"));
  EXPECT_EQ(file.Revision(), before);
  EXPECT_NE(file.condition().trouble, "");
  std::filesystem::remove(path_);
  file.Refresh();
  EXPECT_EQ(OwnerOf(file, "a"), TenantId("one"));
  EXPECT_NE(file.condition().trouble, "");
  Write("rules:\n  - {client_id: a, tenant: one}\n");
  file.Refresh();
  EXPECT_EQ(file.condition().trouble, "");
}

TEST_F(RulesFileTest, WithoutAGoodFileNothingStarts) {
  std::filesystem::remove(path_);
  EXPECT_THROW(RulesFile({path_}), base::StartupError);
  Write("rules: 7");
  EXPECT_THROW(RulesFile({path_}), base::StartupError);
}

}  // namespace
}  // namespace heliograph::owner
