// What every Resolver keeps, tried on the fake that other tests use and on the real one.
#include "owner/resolver.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "contract/owner/fake_resolver.h"
#include "owner/rules_file.h"

namespace heliograph::owner {
namespace {

using device::ClientId;
using device::TenantId;
using Owners = FakeResolver::Owners;

// A resolver with these owners, and the way to give it others.
class Kind {
 public:
  virtual ~Kind() = default;
  virtual Resolver& Make(const Owners& owners) = 0;
  virtual void Change(const Owners& owners) = 0;
};

class FakeKind final : public Kind {
 public:
  Resolver& Make(const Owners& owners) override {
    resolver_ = std::make_unique<FakeResolver>(owners);
    return *resolver_;
  }
  void Change(const Owners& owners) override { resolver_->Change(owners); }

 private:
  std::unique_ptr<FakeResolver> resolver_;
};

class RulesFileKind final : public Kind {
 public:
  ~RulesFileKind() override { std::filesystem::remove(path_); }
  Resolver& Make(const Owners& owners) override {
    Change(owners);
    resolver_ = std::make_unique<RulesFile>(RulesConfig{path_});
    return *resolver_;
  }
  void Change(const Owners& owners) override {
    std::ofstream file(path_ + ".new");
    file << "rules:\n";
    for (const auto& [client_id, tenant] : owners) {
      file << "  - {client_id: \"" << client_id << "\", tenant: \"" << tenant << "\"}\n";
    }
    file.close();
    std::filesystem::rename(path_ + ".new", path_);
  }

 private:
  const std::string path_ = testing::TempDir() + "/heliograph-resolver-contract.yaml";
  std::unique_ptr<RulesFile> resolver_;
};

template <class T>
class ResolverContract : public testing::Test {
 protected:
  T kind_;
};
using Kinds = testing::Types<FakeKind, RulesFileKind>;
TYPED_TEST_SUITE(ResolverContract, Kinds);

TYPED_TEST(ResolverContract, AnswersEachInOrder) {
  Resolver& resolver =
      this->kind_.Make({{ClientId("a"), TenantId("one")}, {ClientId("c"), TenantId("two")}});
  const std::vector<ClientId> asked{ClientId("c"), ClientId("b"), ClientId("a"), ClientId("c")};
  const auto owners = resolver.Resolve(asked);
  ASSERT_TRUE(owners);
  const std::vector<Owner> expected{TenantId("two"), std::nullopt, TenantId("one"),
                                    TenantId("two")};
  EXPECT_EQ(*owners, expected);
  EXPECT_TRUE(resolver.Resolve({})->empty());
}

TYPED_TEST(ResolverContract, AChangeShowsInAnswersAndRevisionAfterARefresh) {
  Resolver& resolver = this->kind_.Make({{ClientId("a"), TenantId("one")}});
  const std::string before = resolver.Revision();
  resolver.Refresh();
  EXPECT_EQ(resolver.Revision(), before) << "nothing has changed";
  this->kind_.Change({{ClientId("a"), TenantId("two")}});
  resolver.Refresh();
  EXPECT_NE(resolver.Revision(), before);
  const ClientId asked("a");
  EXPECT_EQ(resolver.Resolve(std::span(&asked, 1))->front(), TenantId("two"));
  EXPECT_EQ(resolver.Trouble(), "");
}

TYPED_TEST(ResolverContract, TheSameOwnersAreTheSameRevisionInAnotherProcess) {
  const Owners owners{{ClientId("a"), TenantId("one")}};
  const std::string first = this->kind_.Make(owners).Revision();
  EXPECT_EQ(this->kind_.Make(owners).Revision(), first);
}

}  // namespace
}  // namespace heliograph::owner
