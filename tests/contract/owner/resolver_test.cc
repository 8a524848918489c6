// What every Resolver keeps, tried on the fake that other tests use and on the real ones.
#include "owner/resolver.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

#include "contract/owner/fake_resolver.h"
#include "contract/owner/owner_service.h"
#include "owner/http_lookup.h"
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

// Two threads ask a real server. What was said before counts for `cache`, which the clock is made
// to pass.
class HttpLookupKind final : public Kind {
 public:
  ~HttpLookupKind() override { End(); }
  Resolver& Make(const Owners& owners) override {
    End();
    service_.Change(owners);
    HttpConfig config;
    config.url = service_.url();
    config.max_calls = 2;
    config.wait = std::chrono::seconds(20);
    resolver_ = std::make_unique<HttpLookup>(config, clock_, metrics_);
    for (std::size_t i = 0; i < resolver_->servers(); ++i) {
      threads_.emplace_back([this](const std::stop_token& stop) { resolver_->Serve(stop); });
    }
    return *resolver_;
  }
  void Change(const Owners& owners) override {
    service_.Change(owners);
    clock_.Pass(HttpConfig().check);
  }

 private:
  void End() {
    threads_.clear();
    resolver_.reset();
  }

  OwnerService service_;
  ManualClock clock_;
  metrics::Registry metrics_;
  std::unique_ptr<HttpLookup> resolver_;
  std::vector<std::jthread> threads_;
};

template <class T>
class ResolverContract : public testing::Test {
 protected:
  T kind_;
};
using Kinds = testing::Types<FakeKind, RulesFileKind, HttpLookupKind>;
TYPED_TEST_SUITE(ResolverContract, Kinds);

TYPED_TEST(ResolverContract, AnswersEachInOrder) {
  Resolver& resolver =
      this->kind_.Make({{ClientId("a"), TenantId("one")}, {ClientId("c"), TenantId("two")}});
  const std::vector<ClientId> asked{ClientId("c"), ClientId("b"), ClientId("a"), ClientId("c")};
  const std::vector<Answer> expected{{true, TenantId("two")},
                                     {true, std::nullopt},
                                     {true, TenantId("one")},
                                     {true, TenantId("two")}};
  EXPECT_EQ(resolver.Resolve(asked, Urgency::kConnecting), expected);
  EXPECT_EQ(resolver.Resolve(asked, Urgency::kInBackground), expected) << "told before";
  for (const auto urgency : {Urgency::kConnecting, Urgency::kInBackground}) {
    EXPECT_TRUE(resolver.Resolve({}, urgency).empty());
  }
}

TYPED_TEST(ResolverContract, AChangeShowsInAnswersAndRevisionAfterARefresh) {
  Resolver& resolver = this->kind_.Make({{ClientId("a"), TenantId("one")}});
  const std::string before = resolver.Revision();
  resolver.Refresh();
  EXPECT_EQ(resolver.Revision(), before) << "nothing has changed";
  const ClientId asked("a");
  EXPECT_EQ(resolver.Resolve(std::span(&asked, 1), Urgency::kConnecting).front().owner,
            TenantId("one"));
  this->kind_.Change({{ClientId("a"), TenantId("two")}});
  resolver.Refresh();
  EXPECT_NE(resolver.Revision(), before);
  EXPECT_EQ(resolver.Resolve(std::span(&asked, 1), Urgency::kConnecting).front().owner,
            TenantId("two"));
  EXPECT_EQ(resolver.condition().trouble, "");
  EXPECT_TRUE(resolver.condition().usable);
}

TYPED_TEST(ResolverContract, TheSameOwnersAreTheSameRevisionInAnotherProcess) {
  const Owners owners{{ClientId("a"), TenantId("one")}};
  const std::string first = this->kind_.Make(owners).Revision();
  EXPECT_EQ(this->kind_.Make(owners).Revision(), first);
}

}  // namespace
}  // namespace heliograph::owner
